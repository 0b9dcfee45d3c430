"""Walk through configs and find their parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

#: Registered name and class of mmengine's initialisation from a checkpoint.
CHECKPOINT_INITS = ('Pretrained', 'PretrainedInit')


def walk_config(node: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Walk through a config or any part of one, depth first.

    Yields:
        tuple[str, Any]: Key and value of the part itself and of everything in it, with keys such as
        ``train_dataloader.dataset.pipeline.6.type`` that start with ``key``.
    """
    node = node._cfg_dict if isinstance(node, Config) else node
    yield key, node
    for name, value in items_of(node):
        yield from walk_config(value, f'{key}.{name}' if key else str(name))


def dicts_of(node: Any) -> list[tuple[str, dict[str, Any]]]:
    """List the dictionaries of a config, not copies of them, with their keys, outer ones first."""
    return [(key, value) for key, value in walk_config(node) if isinstance(value, dict)]


def settings_of(config: Config) -> dict[str, Any]:
    """Collect the settings of a config: by key, each value that is neither a dict nor a list."""
    walk = walk_config(config._cfg_dict.to_dict())
    return {key: value for key, value in walk if not isinstance(value, (dict, list, tuple))}


def dataset_parts(config: Config) -> list[dict[str, Any]]:
    """Find the configs of this package's data sets anywhere in a config; they are not copies."""
    return [
        part
        for key, part in dicts_of(config)
        if key and 'data_root' in part and type_name(part).startswith('echocardmae_mm.')
    ]


def pretrained_parts(config: Config) -> dict[str, str]:
    """Find the parts of a model that load a checkpoint.

    Returns:
        dict[str, str]: Checkpoint by the key of the ``init_cfg``, such as model.backbone.init_cfg.
        Setting that key to None starts the part from random weights.
    """
    return {
        f'model.{key}': str(part['checkpoint'])
        for key, part in dicts_of(config.get('model'))
        if type_name(part) in CHECKPOINT_INITS and part.get('checkpoint')
    }


def type_name(part: dict[str, Any]) -> str:
    """Name the type of a component, whether its config gives a name, a path or a class.

    Returns:
        str: Scope and name, such as echocardmae_mm.EFHead; only the name if the component is
        mmengine's or the config gives no scope; empty without a type.

    Example:
        >>> from mmengine.optim import OptimWrapper
        >>> [type_name(dict(type=name)) for name in ('OptimWrapper', OptimWrapper)]
        ['OptimWrapper', 'OptimWrapper']
        >>> type_name(dict(type='echocardmae_mm.models.EFHead'))
        'echocardmae_mm.EFHead'
    """
    kind = part.get('type') or ''
    if not isinstance(kind, str):
        kind = f'{getattr(kind, "__module__", "")}.{getattr(kind, "__name__", "")}'
    scope, _, rest = kind.partition('.')
    name = rest.rpartition('.')[2]
    if not name:
        return scope
    return name if scope == 'mmengine' else f'{scope}.{name}'


def classes_to_paths(config: Config) -> None:
    """Replace classes by their import paths, and drop imported names, in place.

    mmengine builds components from both, but can only print paths. In pure Python style it stores
    classes in a form of its own, which stays.
    """
    for place, part in dicts_of(config):
        for key, value in [*dict.items(part)]:
            if isinstance(value, type) and place:
                part[key] = f'{value.__module__}.{value.__qualname__}'
            elif isinstance(value, type):
                del part[key]


def items_of(part: Any) -> Any:
    """Keys and values of a dictionary, positions and values of a list; nothing of the rest."""
    if isinstance(part, dict):
        return part.items()
    return enumerate(part) if isinstance(part, (list, tuple)) else ()
