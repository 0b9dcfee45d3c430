"""The config of a bundle: literals only, so that reading a foreign bundle runs no code.

It holds ``model``, ``test_pipeline``, ``default_scope`` and:

* ``task``: one of :data:`TASKS`;
* ``framing``: how the frames of the training data are cropped, one of :data:`FRAMINGS`;
* ``frame_size``: height and width of the training data's frames in pixels;
* ``fps``: median frame rate of the training data, or None;
* ``synthetic``: whether the model was trained on synthetic recordings;
* ``classes``: names of labels or diagnoses, and ``palette``.
"""

from __future__ import annotations

import ast
from pathlib import Path

from mmengine.config import Config

from echocardmae_mm.apis.framing import FRAMINGS
from echocardmae_mm.utils.errors import UserError

CONFIG = 'config.py'
FORMAT = 1
VIEWS = ('4CH', '2CH', 'other')
TASKS = ('ejection_fraction', 'segmentation', 'diagnosis', 'view', 'features')


def read_bundle_config(path: Path) -> Config:
    """Read the config of a bundle.

    Raises:
        UserError: If it has anything but assignments of literals, or does not fit this version.
    """
    try:
        statements = ast.parse(path.read_text(encoding='utf-8')).body
        values = {
            _name(part): ast.literal_eval(_DictCalls().visit(part.value))  # type: ignore[attr-defined]
            for part in statements
        }
    except (SyntaxError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f'{path}: expected only assignments of literals ({error})') from None
    if values.get('framing') not in FRAMINGS:
        raise UserError(f'{path}: framing must be one of {FRAMINGS}')
    if values.get('format') != FORMAT or values.get('task') not in TASKS:
        raise UserError(
            f'{path}: format {values.get("format")} and task {values.get("task")!r} are unknown to '
            'this version'
        )
    return Config(values)


def _name(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        raise ValueError(f'line {statement.lineno}')
    return statement.targets[0].id


class _DictCalls(ast.NodeTransformer):
    """Turn ``dict(name=value)``, which mmengine writes, into ``{'name': value}``."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        keys = [keyword.arg for keyword in node.keywords]
        is_dict = isinstance(node.func, ast.Name) and node.func.id == 'dict'
        if not is_dict or node.args or None in keys:
            return node  # which literal_eval refuses
        return ast.Dict([*map(ast.Constant, keys)], [keyword.value for keyword in node.keywords])
