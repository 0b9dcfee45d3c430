"""Walk through configs, convert settings to ``--cfg-options``, and check ``data_root``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.errors import UserError


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
        if key and 'data_root' in part and str(part.get('type')).startswith('echocardmae_mm.')
    ]


def has_unused_data_root(config: Config) -> bool:
    """Whether a top-level ``data_root`` was set on purpose but has no effect.

    ``data_root`` is a variable: a child config or ``--cfg-options`` that sets it does not change
    the data sets that the base config built from it. A value that remains from the base config
    after every data set has been given its own folder is harmless.

    Args:
        config (Config): A config that was loaded from a file.

    Returns:
        bool: True if the run would read other data than the config names.
    """
    root = config.get('data_root')
    roots = {part['data_root'] for part in dataset_parts(config)}
    if root is None or not roots or root in roots:
        return False
    if not (config.filename and Path(config.filename).is_file()):
        return False
    return _is_never_used(config.filename, root)


def require_used_data_root(config: Config) -> None:
    """Reject a config whose ``data_root`` or ``packed`` has no effect.

    Args:
        config (Config): The config of a run.

    Raises:
        UserError: If one of them has no effect.
    """
    parts = dataset_parts(config)
    packed = config.get('packed')
    if packed and parts and packed not in [part.get('packed') for part in parts]:
        name, used = f'packed={packed}', 'the files instead'
    elif has_unused_data_root(config):
        name = f'data_root={config.data_root}'
        used = ', '.join(sorted({str(part['data_root']) for part in parts}))
    else:
        return
    raise UserError(
        f'{name} has no effect: the data sets read {used}\n'
        'Set it in each data set, or use echocardmae train or test, which pass it on'
    )


def _is_never_used(filename: str, root: str) -> bool:
    """Whether no data set uses ``data_root`` in the file or in the base config that sets it."""
    config = Config.fromfile(filename)
    if config.get('data_root') != root:
        return True
    if root in [part['data_root'] for part in dataset_parts(config)]:
        return False
    bases = [Config._get_cfg_path(base, filename)[0] for base in Config._get_base_files(filename)]
    return all(_is_never_used(base, root) for base in bases)


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
