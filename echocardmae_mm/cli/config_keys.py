"""Names of the settings that a config may have, to refuse misspelt ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry, root
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch import nn
from torch.utils.data import DataLoader

from echocardmae_mm.utils.config import walk_config
from echocardmae_mm.utils.errors import UserError


def _arguments(function: Callable) -> set[str]:
    return set(inspect.signature(function).parameters) - {'self'}


#: Keys that mmengine removes from a component's config before it builds the component.
RESERVED_KEYS = {'type', '_scope_', '_delete_', 'priority', 'convert_to_iter_based'}
#: Types that mmengine assumes if a config names none.
DEFAULT_TYPES = {
    'log_processor': 'LogProcessor',
    'model_wrapper_cfg': 'MMDistributedDataParallel',
    'optim_wrapper': 'OptimWrapper',
    'test_cfg': 'TestLoop',
    'train_cfg': 'EpochBasedTrainLoop',
    'val_cfg': 'ValLoop',
}
#: Keys that the runner removes from two components.
RUNNER_KEYS = {
    'optim_wrapper': {'constructor', 'optimizer', 'paramwise_cfg'},
    'train_cfg': {'by_epoch'},
}
#: Keys of parts without a type; '' is the config itself.
UNTYPED = {
    '': _arguments(Runner.__init__)
    | {
        'compile',
        'data_root',
        'find_unused_parameters',
        'model_wrapper_cfg',
        'packed',
        'runner_type',
        'sync_bn',
    },
    'auto_scale_lr': {'base_batch_size', 'enable'},
    'env_cfg': {'cudnn_benchmark', 'dist_cfg', 'mp_cfg', 'resource_limit'},
    'env_cfg.mp_cfg': _arguments(set_multi_processing),
    'optim_wrapper.paramwise_cfg': {
        'bias_decay_mult',
        'bias_lr_mult',
        'bypass_duplicate',
        'custom_keys',
        'dcn_offset_lr_mult',
        'dwconv_decay_mult',
        'flat_decay_mult',
        'norm_decay_mult',
    },
    'randomness': _arguments(Runner.set_randomness),
}
_REGISTRIES = [value for value in vars(root).values() if isinstance(value, Registry)]


def require_known_keys(before: dict[str, Any], after: Config, keys: Iterable[str]) -> None:
    """Refuse settings that a config does not have and that no component takes.

    Args:
        before (dict): The config without the settings.
        after (Config): The config with them.
        keys (Iterable[str]): Keys of the settings.

    Raises:
        UserError: Naming the first unknown key and the nearest known one.
    """
    scope = after.get('default_scope') or 'mmengine'
    for key in keys:
        path = key.split('.')
        known: Any = before
        part: Any = after._cfg_dict
        for depth, name in enumerate(path):
            if isinstance(part, dict):
                if not (isinstance(known, dict) and name in known):
                    is_new = not isinstance(known, dict)
                    accepted = accepted_keys('.'.join(path[:depth]), part, scope, is_new)
                    if accepted is not None and name not in accepted:
                        candidates = [*accepted, *(known or ())]
                        raise _unknown(before, key, path, depth, candidates)
                known = known.get(name) if isinstance(known, dict) else None
                part = part.get(name)
            elif isinstance(part, (list, tuple)) and name.isdigit():
                index = int(name)
                is_known = isinstance(known, (list, tuple)) and index < len(known)
                known, part = known[index] if is_known else None, part[index]
            else:
                break


def accepted_keys(key: str, part: dict[str, Any], scope: str, is_new: bool) -> set[str] | None:
    """Keys that a part of a config may have.

    Args:
        key (str): Key of the part; '' is the config itself.
        part (dict): The part.
        scope (str): The config's default scope.
        is_new (bool): Whether the settings themselves created the part.

    Returns:
        set[str] | None: The keys; None if the part accepts any key, or its keys are unknown.
    """
    if key in UNTYPED:
        return UNTYPED[key]
    if key.endswith('_dataloader'):
        return _arguments(DataLoader.__init__) | {'num_batch_per_epoch'}
    if key == 'default_hooks':  # a new hook needs a type
        return {hook for hook, value in part.items() if 'type' in (value or ())}
    component = part.get('type') or DEFAULT_TYPES.get(key)
    if component is None:
        is_open = is_new or key.endswith('.custom_keys')
        return None if is_open else set()
    keys = component_keys(component, scope)
    return None if keys is None else keys | RUNNER_KEYS.get(key, set())


def component_keys(component: str | Callable, scope: str) -> set[str] | None:
    """Keys that the config of a registered component may have.

    Args:
        component (str | Callable): Its ``type``.
        scope (str): The default scope.

    Returns:
        set[str] | None: The keys; None if it accepts any key or is not registered.
    """
    found = _registered(component, scope) if isinstance(component, str) else [component]
    accepted = [_parameters(candidate) for candidate in found]
    if not accepted or None in accepted:
        return None
    return RESERVED_KEYS.union(*(names for names in accepted if names is not None))


def _registered(name: str, scope: str) -> list[Callable]:
    names = [name] if '.' in name else [f'{scope}.{name}', f'mmengine.{name}']
    found = [_looked_up(registry, full) for full in names for registry in _REGISTRIES]
    return list({id(one): one for one in found if callable(one)}.values())


def _looked_up(registry: Registry, name: str) -> Any:
    try:
        return registry.get(name)
    except ImportError:  # some OpenMMLab registries name modules that do not exist
        return None


def _parameters(component: Callable) -> set[str] | None:
    """Argument names, including those of base classes behind ``**kwargs``; None for any."""
    if not inspect.isclass(component):
        steps: list[Callable] = [component]
    else:
        classes = component.__mro__[: component.__mro__.index(_last_base(component))]
        steps = [vars(base)['__init__'] for base in classes if '__init__' in vars(base)]
    names: set[str] = set()
    for step in steps:
        parameters = inspect.signature(step).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {'self'}
    is_open = not inspect.isclass(component) or not issubclass(component, nn.Module)
    return None if is_open and steps else names - {'self'}


def _last_base(component: type) -> type:
    return nn.Module if issubclass(component, nn.Module) else object


def _unknown(
    config: dict[str, Any], key: str, path: list[str], depth: int, candidates: list[str]
) -> UserError:
    near = get_close_matches(path[depth], candidates, n=1, cutoff=0.7)
    if near:
        hint = '; did you mean ' + '.'.join([*path[:depth], near[0], *path[depth + 1 :]]) + '?'
    else:
        keys = [known for known, _ in walk_config(config)]
        near = get_close_matches(key, keys, n=1)
        hint = f'; did you mean {near[0]}?' if near else ''
    return UserError(
        f'--cfg-options {key}: no such setting{hint}\n'
        f'Write +{key}=VALUE to add a setting that no component declares'
    )
