"""Refuse a config that discards what a recipe built."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from echocardmae_mm.utils.errors import UserError


def refuse_discarded_settings(path: Path) -> None:
    """Refuse an assignment that replaces a setting of a recipe that was called above it.

    Below ``globals().update(pretraining(embed_dims=768))``, Python would drop the recipe's model
    at ``model = dict(alignment_head=None)``, and the model of the ``_base_`` would be trained.

    Args:
        path (Path): A config that loads; its bases are checked too.

    Raises:
        UserError: If a setting is assigned without a use of its value.
    """
    try:
        statements = ast.parse(path.read_text(encoding='utf-8')).body
    except SyntaxError:  # JSON, YAML, or mmengine's variables, such as {{$HOME:/data}}
        return
    namespace: dict[str, Any] = {}
    built: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.Assign) and (lost := _names(statement, ast.Store) & built):
            name = min(lost)
            if name not in _names(statement, ast.Load):
                raise UserError(
                    f'{path}, line {statement.lineno}: {name} = ... discards what the recipe above '
                    f'has built\nPass the change to the recipe, for example settings=dict(...), or '
                    f'write it into another config with _base_ = {path.name!r}'
                )
        before = dict(namespace)
        try:
            exec(compile(ast.Module([statement], []), str(path), 'exec'), namespace)
        except Exception:  # mmengine's own syntax, such as _base_.model
            continue
        if ast.unparse(statement).startswith('globals().update('):
            built |= {name for name, value in namespace.items() if before.get(name) is not value}
    bases = namespace.get('_base_') or []
    for base in [bases] if isinstance(bases, str) else bases:
        if (file := path.parent / base).is_file():
            refuse_discarded_settings(file)


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, context)}
