"""Apply ``--cfg-options KEY=VALUE`` to a config, and refuse unknown names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, DictAction

from echocardmae_mm.cli.config_keys import component_keys, require_known_keys
from echocardmae_mm.cli.config_values import require_same_kinds
from echocardmae_mm.cli.first_edition import refuse_old_names
from echocardmae_mm.utils.config import dataset_parts, dicts_of
from echocardmae_mm.utils.config_variables import require_used
from echocardmae_mm.utils.errors import UserError

#: Short keys that reach every data set with folds.
FOLD_SETTINGS = ('fold', 'num_folds', 'fold_file', 'val_share')
#: Short keys that reach every data set of this package with the setting.
TABLE_SETTINGS = ('ann_file', 'classes')
#: Settings whose values are text, even if they look like numbers.
PATHS = ('data_root', 'packed', 'ann_file', 'fold_file', 'split_file', 'load_from')


def apply_cfg_options(config: Config, words: Sequence[str] | None) -> None:
    """Override settings of a config.

    ``data_root`` changes every data set that uses the config's ``data_root``, ``packed`` every data
    set that can read a store, ``split_file`` every data set that takes one, ``ann_file`` and
    ``classes`` every data set with that setting, and the fold settings every data set with folds.

    Args:
        config (Config): Modified in place.
        words (Sequence[str], optional): ``KEY=VALUE``, or ``+KEY=VALUE`` for a new setting.

    Raises:
        UserError: If a word cannot be parsed, nothing takes its setting, or no data set uses the
            ``data_root``, ``ann_file`` or ``packed`` at the top of the config or a short key.
    """
    options = parse_cfg_options(words)
    if 'data_root' in options:
        set_data_root(config, options['data_root'])
    for name in ('packed', 'split_file'):
        if name in options:
            set_where_taken(config, name, options[name])
    for name in FOLD_SETTINGS:
        if name in options:
            with_folds = [part for _, part in dicts_of(config) if 'fold' in part]
            set_in(with_folds, name, options[name], 'folds')
    for name in TABLE_SETTINGS:
        if name in options:
            with_setting = [part for part in dataset_parts(config) if name in part]
            set_in(with_setting, name, options[name], 'this setting')
    before = config._cfg_dict.to_dict()
    try:
        config.merge_from_dict({key.removeprefix('+'): value for key, value in options.items()})
    except (KeyError, TypeError, IndexError) as error:
        raise UserError(f'--cfg-options: {str(error.args[0]).partition(" of list")[0]}') from error
    refuse_old_names(config)
    short = (*FOLD_SETTINGS, *TABLE_SETTINGS, 'split_file')
    checked = [key for key in options if not key.startswith('+') and key not in short]
    require_known_keys(before, config, checked)
    require_same_kinds(before, config, checked)
    require_used(config, 'data_root', 'ann_file', 'packed')


def parse_cfg_options(words: Sequence[str] | None) -> dict[str, Any]:
    """Parse ``KEY=VALUE`` words; a key keeps its ``+``."""
    return dict(_parsed(word) for word in words or ())


def set_data_root(config: Config, root: Any) -> None:
    """Set the folder of the data sets that use the config's ``data_root`` or share a folder."""
    parts = dataset_parts(config)
    roots = {part['data_root'] for part in parts}
    old = config.get('data_root')
    if old not in roots and len(roots) != 1:
        found = f'the data sets have different folders: {", ".join(sorted(map(str, roots)))}'
        raise UserError(
            f'data_root={root}: {found if roots else "no data set of this config has one"}\n'
            'Set the data_root of each data set instead'
        )
    replaced = old if old in roots else next(iter(roots))
    for key, part in dicts_of(config):
        if key and part.get('data_root') == replaced:
            part['data_root'] = root
    config.data_root = root


def set_where_taken(config: Config, name: str, value: Any, only_unset: bool = False) -> None:
    """Set a setting of every data set whose class takes it; optionally not where it is set."""
    scope = config.get('default_scope') or 'mmengine'
    parts = [p for p in dataset_parts(config) if name in (component_keys(p['type'], scope) or ())]
    if not parts:
        reads = 'reads a store' if name == 'packed' else f'takes {name}'
        raise UserError(f'{name}={value}: no data set of this config {reads}')
    for part in parts:
        if not (only_unset and name in part):
            part[name] = value


def set_in(parts: Sequence[Any], name: str, value: Any, condition: str) -> None:
    """Set a setting of the data sets that fulfil a condition."""
    if not parts:
        raise UserError(f'--cfg-options {name}: no data set of this config has {condition}')
    for part in parts:
        part[name] = value


def _parsed(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition('=')
    if not equals:
        raise UserError(f'--cfg-options {word}: expected key=value')
    value = value.strip()
    if ' ' in value and value[0] not in '[({':
        raise UserError(
            f'--cfg-options {word}: values with spaces are not supported here\n'
            'Set it in a config file, or link to the folder under a name without spaces'
        )
    if key == 'work_dir':
        raise UserError(f'--cfg-options {word}: pass --work-dir or --out instead')
    is_path = key.rpartition('.')[2] in PATHS and value != 'None'
    return key, value if is_path else DictAction._parse_iterable(value)
