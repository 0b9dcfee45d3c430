"""Refuse variables of a config file that reach no data set."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from echocardmae_mm.utils.config import walk_config
from echocardmae_mm.utils.errors import UserError


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
