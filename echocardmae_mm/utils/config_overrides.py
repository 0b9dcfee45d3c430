"""Find the settings that turn one config into another, and write them as ``--cfg-options``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.config import items_of
from echocardmae_mm.utils.errors import UserError


def overrides(config: Config, base: Config) -> dict[str, Any]:
    """Find the settings, by key, that turn ``base`` into ``config``.

    Raises:
        UserError: If ``base`` has settings that ``config`` lacks; overrides cannot remove settings.
    """
    return dict(_differences(config._cfg_dict.to_dict(), base._cfg_dict.to_dict()))


def to_cfg_options(settings: Mapping[str, Any]) -> list[str]:
    """Convert settings by key to ``--cfg-options`` and its values; to nothing without settings.

    Raises:
        UserError: If a string contains spaces, commas or brackets, which mmengine would parse.
    """
    words = [f'{key}={_written(value)}' for key, value in settings.items()]
    return ['--cfg-options', *words] if words else []


def _differences(new: Any, old: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    if isinstance(new, dict) and old is None:
        old = {}
    if type(new) is not type(old) or not isinstance(new, (dict, list, tuple)):
        if new != old:
            yield key, new
        return
    new_items, old_items = dict(items_of(new)), dict(items_of(old))
    if gone := old_items.keys() - new_items.keys():
        raise UserError(f'{key or "the config"} lacks {min(map(str, gone))} of its base')
    for name, value in new_items.items():
        inner = f'{key}.{name}' if key else str(name)
        yield from _differences(value, old_items.get(name), inner)


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(map(_written, value))}]'
    if isinstance(value, str) and set(value) & set(' ,[]()'):
        raise UserError(f'{value!r}: a command line cannot pass spaces, commas or brackets')
    return str(value)
