"""Private names of other packages that this package uses, and what patches replace.

None of them is promised: a release that moves one fails here, by name.
"""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import echocardmae_mm

PACKAGE = Path(echocardmae_mm.__file__).parent

# Owner, name, where it is used.
PRIVATE = [
    ('mmengine.config.Config', '_cfg_dict', 'utils/config.py'),
    ('mmengine.config.Config', '_get_base_files', 'utils/config.py'),
    ('mmengine.config.Config', '_get_cfg_path', 'compat/package_configs.py'),
    ('mmengine.config.DictAction', '_parse_iterable', 'cli/cfg_options.py'),
    ('mmengine.dataset.BaseDataset', '_fully_initialized', 'datasets/recording_dataset.py'),
    ('mmengine.dataset.BaseDataset', '_metainfo', 'datasets/recording_table_dataset.py'),
    (
        'mmengine.runner.EpochBasedTrainLoop',
        '_decide_current_val_interval',
        'engine/resumable_train_loop.py',
    ),
    ('mmengine.runner.EpochBasedTrainLoop', '_epoch', 'engine/resumable_train_loop.py'),
    ('mmengine.runner.EpochBasedTrainLoop', '_iter', 'engine/resumable_train_loop.py'),
    ('mmengine.runner.EpochBasedTrainLoop', '_max_epochs', 'engine/resumable_train_loop.py'),
    ('multiprocessing.queues.Queue', '_on_queue_feeder_error', 'compat/unsent_batches.py'),
    ('torch._utils', 'ExceptionWrapper', 'compat/unsent_batches.py'),
    ('torch.nn.Module', '_register_load_state_dict_pre_hook', 'models/frame_vit.py'),
    ('torch.utils.data._utils.worker', '_worker_loop', 'compat/unsent_batches.py'),
]
# Public names that a patch replaces where the host looks them up.
PATCHED = [
    ('mmengine.runner.checkpoint', 'torch', 'compat/unsafe_checkpoints.py'),
    ('mmengine.runner.checkpoint', 'load_url', 'compat/unsafe_checkpoints.py'),
    ('mmengine.utils.package_utils', 'is_installed', 'compat/missing_pkg_resources.py'),
    ('mmengine.utils.package_utils', 'get_installed_path', 'compat/missing_pkg_resources.py'),
    ('mmengine.utils.package_utils', 'package2module', 'compat/missing_pkg_resources.py'),
    ('mmcv.utils.ext_loader', 'load_ext', 'compat/missing_operators.py'),
    ('mmaction.models.heads.base.BaseHead', 'loss_by_feat', 'compat/bfloat16_scores.py'),
    ('yapf.yapflib.yapf_api', 'FormatCode', 'compat/repeated_formatting.py'),
    ('mmaction.models.localizers.drn', 'drn', 'compat/missing_drn.py'),
]
# Used only where they exist: onedl-mmengine has the first, the full mmcv the second.
OPTIONAL = {'_safe_torch_load', '_ext'}
STANDARD_LIBRARY = {'_asdict', '_exit', '_replace'}


def find(owner):
    parts = owner.split('.')
    for length in range(len(parts), 0, -1):
        name = '.'.join(parts[:length])
        try:
            found = import_module(name)
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f'{owner} has moved')


def sets(cls, name):
    """Whether a class or a parent sets the attribute of an instance."""
    parents = [parent for parent in cls.__mro__ if parent is not object]
    pattern = rf"\bself\.{name}\b.* = |__setattr__\('{name}'"
    return any(re.search(pattern, inspect.getsource(parent)) for parent in parents)


@pytest.mark.parametrize(('owner', 'name', 'used_in'), PRIVATE + PATCHED)
def test_is_where_it_was(owner, name, used_in):
    found = find(owner)
    assert hasattr(found, name) or (inspect.isclass(found) and sets(found, name)), (
        f'{owner}.{name} has moved; {used_in} uses it'
    )
    assert (PACKAGE / used_in).is_file()


def names_in(tree):
    """Private names that a module uses, and those that it defines."""
    used, defined = set(), set()
    updated = [node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            is_own = ast.unparse(node.value) == 'self' and isinstance(node.ctx, ast.Store)
            (defined if is_own and node not in updated else used).add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [name.name for name in node.names]
            is_inside = any(is_private(part) for part in node.module.split('.'))
            used.update(names if is_inside else filter(is_private, names))
    return used, defined


def is_private(name):
    return name.startswith('_') and not name.startswith('__')


def test_the_list_is_complete():
    trees = [ast.parse(file.read_text(encoding='utf-8')) for file in PACKAGE.rglob('*.py')]
    used, defined = (set().union(*names) for names in zip(*map(names_in, trees)))
    foreign = {name for name in used if is_private(name)} - defined - STANDARD_LIBRARY - OPTIONAL
    assert foreign == {name for _, name, _ in PRIVATE if is_private(name)}
