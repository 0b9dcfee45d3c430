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
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from echocardmae_mm.utils.config import type_name, walk_config
from echocardmae_mm.utils.errors import UserError


def _arguments(function: Callable) -> set[str]:
    return set(inspect.signature(function).parameters) - {'self'}


#: Keys that mmengine removes from a component's config before it builds the component.
RESERVED_KEYS = {'type', '_scope_', '_delete_', 'priority', 'convert_to_iter_based'}
#: Types that mmengine or ClipPairPreprocessor assumes where a config names none.
DEFAULT_TYPES = {
    'log_processor': 'LogProcessor',
    'model.data_preprocessor.denoise': 'echocardmae_mm.DenoisedTarget',
    'model.data_preprocessor.mask': 'echocardmae_mm.SectorMask',
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
    'optim_wrapper.clip_grad': {'type'}
    | (_arguments(clip_grad_norm_) | _arguments(clip_grad_value_)) - {'parameters'},
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
#: Well-known keys of untyped parts that may have others, by the end of the key of the part.
FAMILIAR = {
    'custom_keys.*': {'decay_mult', 'lr_mult'},
    'dist_cfg': {'backend', 'timeout'},
    'paramwise_cfg': UNTYPED['optim_wrapper.paramwise_cfg'],
    'test_cfg': {'average_clips', 'crop_size', 'max_testing_views', 'mode', 'stride'},
}
#: Similarity, 0 to 1, above which a key that anything may follow counts as misspelt.
CLOSE = 0.8
_REGISTRIES = [value for value in vars(root).values() if isinstance(value, Registry)]


def require_known_keys(before: dict[str, Any], after: Config, keys: Iterable[str]) -> None:
    """Refuse settings that a config lacks and no component takes, and name the nearest known one.

    Args:
        before (dict): The config without the settings.
        after (Config): The config with them.
        keys (Iterable[str]): Keys of the settings.
    """
    for key in keys:
        path = key.split('.')
        known: Any = before
        part: Any = after._cfg_dict
        for depth, name in enumerate(path):
            if isinstance(part, dict):
                siblings = known if isinstance(known, dict) else {}
                if name not in siblings:
                    parent = '.'.join(path[:depth])
                    accepted = accepted_keys(parent, part, after)
                    if accepted is not None and name not in accepted:
                        raise _unknown(before, key, path, depth, [*accepted, *siblings])
                    if accepted is None and 'type' not in part:
                        familiar = [*siblings, *_familiar(parent)]
                        if name not in familiar and _is_close(name, parent, familiar):
                            raise _unknown(before, key, path, depth, familiar)
                known = siblings.get(name)
                part = part.get(name)
            elif isinstance(part, (list, tuple)) and name.isdigit():
                index = int(name)
                is_known = isinstance(known, (list, tuple)) and index < len(known)
                known, part = known[index] if is_known else None, part[index]
            else:
                break


def accepted_keys(key: str, part: dict[str, Any], config: Config) -> set[str] | None:
    """Keys that a part of a config may have; None if it accepts any, or its keys are unknown.

    The key of the config itself is ''.
    """
    if key == 'optim_wrapper.paramwise_cfg' and _has_own_constructor(config):
        return None
    if key in UNTYPED:
        return UNTYPED[key]
    if key.endswith('_dataloader'):
        return _arguments(DataLoader.__init__) | {'num_batch_per_epoch'}
    if key == 'default_hooks':  # a new hook needs a type
        return {hook for hook, value in part.items() if 'type' in (value or ())}
    component = part.get('type') or DEFAULT_TYPES.get(key)
    if component is None:
        return None
    keys = component_keys(component, config.get('default_scope') or 'mmengine')
    if keys is None:
        return None
    if key.endswith('norm_cfg'):  # build_norm_layer takes it out
        keys = keys | {'requires_grad'}
    return keys | RUNNER_KEYS.get(key, set())


def component_keys(component: str | Callable, scope: str) -> set[str] | None:
    """Keys that the config of a component may have; None if it accepts any or is not registered."""
    found = _registered(component, scope) if isinstance(component, str) else [component]
    accepted = [_parameters(candidate) for candidate in found]
    if not accepted or None in accepted:
        return None
    return RESERVED_KEYS.union(*(names for names in accepted if names is not None))


def _has_own_constructor(config: Config) -> bool:
    constructor = (config.get('optim_wrapper') or {}).get('constructor')
    return type_name(dict(type=constructor)) not in ('', 'DefaultOptimWrapperConstructor')


def _familiar(key: str) -> set[str]:
    outer, _, name = key.rpartition('.')
    return FAMILIAR.get('custom_keys.*' if outer.endswith('custom_keys') else name, set())


def _is_close(name: str, key: str, familiar: Iterable[str]) -> bool:
    is_free = key.endswith('custom_keys')  # names of parameters
    names = [known for known in familiar if isinstance(known, str)]
    return not is_free and bool(get_close_matches(name, names, n=1, cutoff=CLOSE))


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
        last = nn.Module if issubclass(component, nn.Module) else object
        classes = component.__mro__[: component.__mro__.index(last)]
        steps = [vars(base)['__init__'] for base in classes if '__init__' in vars(base)]
    names: set[str] = set()
    for step in steps:
        try:
            parameters = inspect.signature(step).parameters.values()
        except (TypeError, ValueError):  # not callable, or written in C
            return None
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {'self'}
    is_open = not inspect.isclass(component) or not issubclass(component, nn.Module)
    return None if is_open and steps else names - {'self'}


def _unknown(
    config: dict[str, Any], key: str, path: list[str], depth: int, candidates: list[str]
) -> UserError:
    names = [name for name in candidates if isinstance(name, str)]
    near = get_close_matches(path[depth], names, n=1, cutoff=0.7)
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
