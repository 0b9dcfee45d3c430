"""Walk through configs, convert settings to ``--cfg-options``, and check ``data_root``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.errors import UserError

#: Registered name and class of mmengine's initialisation from a checkpoint.
CHECKPOINT_INITS = ('Pretrained', 'PretrainedInit')


def walk_config(node: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Walk through a config, depth first.

    Args:
        node (Any): A config, or any part of one.
        key (str): Key of the part. Defaults to ''.

    Yields:
        tuple[str, Any]: Key and value of the part itself and of everything in it, with keys such as
        ``train_dataloader.dataset.pipeline.6.type``.
    """
    node = node._cfg_dict if isinstance(node, Config) else node
    yield key, node
    for name, value in _items(node):
        yield from walk_config(value, f'{key}.{name}' if key else str(name))


def dicts_of(node: Any) -> list[tuple[str, dict[str, Any]]]:
    """List the dictionaries of a config with their keys, outer ones first.

    Args:
        node (Any): A config, or any part of one.

    Returns:
        list[tuple[str, dict]]: Keys and dictionaries, which are not copies.
    """
    return [(key, value) for key, value in walk_config(node) if isinstance(value, dict)]


def settings_of(config: Config) -> dict[str, Any]:
    """Collect the settings of a config.

    Args:
        config (Config): Any config.

    Returns:
        dict[str, Any]: By key, each value that is neither a dict nor a list.
    """
    walk = walk_config(config._cfg_dict.to_dict())
    return {key: value for key, value in walk if not isinstance(value, (dict, list, tuple))}


def overrides(config: Config, base: Config) -> dict[str, Any]:
    """Find the settings that turn one config into another.

    Args:
        config (Config): The result.
        base (Config): The config to start from.

    Returns:
        dict[str, Any]: The settings by their keys.

    Raises:
        UserError: If ``base`` has settings that ``config`` lacks; overrides cannot remove settings.
    """
    return dict(_differences(config._cfg_dict.to_dict(), base._cfg_dict.to_dict()))


def to_cfg_options(settings: Mapping[str, Any]) -> list[str]:
    """Convert settings to command-line arguments.

    Args:
        settings (Mapping[str, Any]): Settings by their keys.

    Returns:
        list[str]: ``--cfg-options`` and its values; empty without settings.

    Raises:
        UserError: If a string contains spaces, commas or brackets, which mmengine would parse.
    """
    words = [f'{key}={_written(value)}' for key, value in settings.items()]
    return ['--cfg-options', *words] if words else []


def dataset_parts(config: Config) -> list[dict[str, Any]]:
    """Find the configs of this package's data sets anywhere in a config.

    Args:
        config (Config): Any config.

    Returns:
        list[dict]: The dictionaries, which are not copies.
    """
    return [
        part
        for key, part in dicts_of(config)
        if key and 'data_root' in part and type_name(part).startswith('echocardmae_mm.')
    ]


def pretrained_parts(config: Config) -> dict[str, str]:
    """Find the parts of a model that load a checkpoint.

    Args:
        config (Config): The config of a run.

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

    Args:
        part (dict): The config of a component.

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
    """Replace classes by their import paths, and drop imported names, in a config in text style.

    mmengine builds components from both, but can only print paths. In pure Python style it stores
    classes in a form of its own, which stays.

    Args:
        config (Config): Modified in place.
    """
    for place, part in dicts_of(config):
        for key, value in [*dict.items(part)]:
            if isinstance(value, type) and place:
                part[key] = f'{value.__module__}.{value.__qualname__}'
            elif isinstance(value, type):
                del part[key]


def require_used(config: Config, *names: str) -> None:
    """Refuse a variable at the top of a config that reaches no data set.

    In a config file ``data_root`` is a variable: a child config that sets it does not change the
    data sets that its base built from it. It counts as used if a setting of a component equals it,
    or lies in this folder and does not come from the base. A value that merely remains where the
    file, or a base with the same value, used it is harmless.

    Args:
        config (Config): The config of a run.
        *names (str): Such as data_root.

    Raises:
        UserError: Naming the first unused variable.
    """
    for name in names:
        value = config.get(name)
        if (
            isinstance(value, str)
            and not _is_used(config, name)
            and _is_unused_in_files(config.filename, name, value)
        ):
            raise UserError(
                f'no data set of this config uses {name}={value!r}\n'
                f"Set the data set's {name}, or pass --cfg-options {name}={value} to echocardmae"
            )


def _is_used(config: Config, name: str) -> bool:
    value: str = config[name]
    folder = value.rstrip('/') + '/'
    inside = {}
    for key, other in walk_config(config):
        if '.' in key and isinstance(other, str):
            if other == value:
                return True
            if other.startswith(folder):
                inside[key] = other
    # What a base has without this variable does not come from it.
    inherited = [dict(walk_config(Config.fromfile(base))) for base in inside and _bases(config)]
    return any(all(base.get(key) != other for base in inherited) for key, other in inside.items())


def _bases(config: Config) -> list[str]:
    path = config.filename
    if path is None or not Path(path).is_file():
        return []
    return [Config._get_cfg_path(base, path)[0] for base in Config._get_base_files(path)]


def _is_unused_in_files(filename: str | None, name: str, value: str) -> bool:
    """Whether neither the file nor a base that has this value uses it."""
    if filename is None or not Path(filename).is_file():
        return True
    config = Config.fromfile(filename)
    if config.get(name) != value:
        return True
    if _is_used(config, name):
        return False
    return all(_is_unused_in_files(base, name, value) for base in _bases(config))


def _differences(new: Any, old: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    if isinstance(new, dict) and old is None:
        old = {}
    if type(new) is not type(old) or not isinstance(new, (dict, list, tuple)):
        if new != old:
            yield key, new
        return
    new_items, old_items = dict(_items(new)), dict(_items(old))
    if gone := old_items.keys() - new_items.keys():
        raise UserError(f'{key or "the config"} lacks {min(map(str, gone))} of its base')
    for name, value in new_items.items():
        inner = f'{key}.{name}' if key else str(name)
        yield from _differences(value, old_items.get(name), inner)


def _items(part: Any) -> Any:
    if isinstance(part, dict):
        return part.items()
    return enumerate(part) if isinstance(part, (list, tuple)) else ()


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(map(_written, value))}]'
    if isinstance(value, str) and set(value) & set(' ,[]()'):
        raise UserError(f'{value!r}: a command line cannot pass spaces, commas or brackets')
    return str(value)
