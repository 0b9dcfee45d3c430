"""Settings of a config by their place, as ``--cfg-options`` takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.errors import UserError


def settings_of(config: Config) -> dict[str, Any]:
    """All settings of a config.

    Args:
        config (Config): Any config.

    Returns:
        dict[str, Any]: Each value that is neither dict nor list by its place, such as
        ``train_dataloader.dataset.pipeline.6.strategy``.
    """
    return dict(_leaves(config._cfg_dict.to_dict()))


def overrides(config: Config, base: Config) -> dict[str, Any]:
    """What makes one config out of another.

    Args:
        config (Config): The config that is wanted.
        base (Config): The config that it differs from.

    Returns:
        dict[str, Any]: By their place, the settings that ``base`` needs.

    Raises:
        UserError: If ``base`` has settings that ``config`` lacks, which no setting can take away.
    """
    return dict(_differences(config._cfg_dict.to_dict(), base._cfg_dict.to_dict()))


def to_cfg_options(settings: Mapping[str, Any]) -> list[str]:
    """Settings as words of a command line.

    Args:
        settings (Mapping[str, Any]): By their place.

    Returns:
        list[str]: ``--cfg-options`` and its words; empty without settings.

    Raises:
        UserError: If a text has blanks, commas or brackets, which mmengine would read otherwise.
    """
    words = [f'{place}={_written(value)}' for place, value in settings.items()]
    return ['--cfg-options', *words] if words else []


def _leaves(part: Any, place: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in _items(part):
        if isinstance(value, (dict, list, tuple)):
            yield from _leaves(value, f'{place}{name}.')
        else:
            yield f'{place}{name}', value


def _differences(new: Any, old: Any, place: str = '') -> Iterator[tuple[str, Any]]:
    if isinstance(new, dict) and old is None:
        old = {}
    if type(new) is not type(old) or not isinstance(new, (dict, list, tuple)):
        if new != old:
            yield place, new
        return
    new_items, old_items = dict(_items(new)), dict(_items(old))
    if gone := old_items.keys() - new_items.keys():
        raise UserError(f'{place or "the config"} lacks {min(map(str, gone))} of its base')
    for name, value in new_items.items():
        inner = f'{place}.{name}' if place else str(name)
        yield from _differences(value, old_items.get(name), inner)


def _items(part: Any) -> Any:
    return part.items() if isinstance(part, dict) else enumerate(part)


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(map(_written, value))}]'
    if isinstance(value, str) and set(value) & set(' ,[]()'):
        raise UserError(f'{value!r}: a command line can hand on no blanks, commas or brackets')
    return str(value)
