"""Read ``calibration.json`` of a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from echocardmae_mm.utils.errors import UserError

#: Default thresholds of the flags, which ``publish`` writes into ``calibration.json`` as ``gate``.
THRESHOLDS: dict[str, float] = {
    'min_seconds': 0.6,
    # Slower, a beat has too few frames to find end-systole; faster, no scanner records B-mode.
    'min_fps': 10.0,
    'max_fps': 500.0,
    'max_colour_share': 0.01,
    'max_outside_mask': 0.02,
    'min_upright_overlap': 0.95,
    'min_motion': 0.5,
    'max_order_ratio': 0.92,
    'min_contrast': 0.15,
    'min_edv_ml': 15.0,
    'max_edv_ml': 500.0,
    'max_area_jump': 0.2,
    'max_apart_share': 0.1,
    'max_edge_share': 0.25,
    'max_empty_share': 0.05,
    'max_training_distance': 1.0,
}


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) < float('inf')


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_number, value))


#: What an entry may hold, and whether a value is that, beside the other entries of its part.
_VALID: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    'a hash': lambda value, _: isinstance(value, str),
    'a number': lambda value, _: _is_number(value),
    'a number above 0': lambda value, _: _is_number(value) and value > 0,
    'a number between 0 and 1': lambda value, _: _is_number(value) and 0 < value < 1,
    'a count': lambda value, _: _is_number(value) and value > 0 and isinstance(value, int),
    'ascending numbers': lambda value, _: _are_numbers(value) and value == sorted(value),
    'numbers from 0, one more than edges': lambda value, part: (
        _are_numbers(value) and len(value) == len(part['edges']) + 1 and min(value) >= 0
    ),
}
#: Entries of each part and what they hold.
_PARTS: dict[str, dict[str, str]] = {
    'interval': {
        'level': 'a number between 0 and 1',
        'edges': 'ascending numbers',
        'below': 'numbers from 0, one more than edges',
        'above': 'numbers from 0, one more than edges',
        'n': 'a count',
    },
    'temperature': {'temperature': 'a number above 0', 'n': 'a count'},
    'features': {
        'sha256': 'a hash',
        'unit': 'a number above 0',
        'level': 'a number between 0 and 1',
        'n': 'a count',
    },
    'gate': dict.fromkeys(THRESHOLDS, 'a number'),
}
_OTHERS = ('weights_sha256', 'training_recorded')


def read_calibration(path: Path, weights_sha256: str) -> dict[str, Any]:
    """Read the file.

    Args:
        path (Path): The file.
        weights_sha256 (str): Hash of the weights beside it.

    Returns:
        dict[str, Any]: ``weights_sha256``, and any of ``training_recorded``, ``interval``,
        ``temperature``, ``features`` and ``gate``.

    Raises:
        UserError: If it is damaged, belongs to other weights, or has an entry that is unknown,
            missing or wrong.
    """
    try:
        calibration = json.loads(path.read_text(encoding='utf-8'))
        belongs = calibration['weights_sha256'] == weights_sha256
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{path}: damaged; expected JSON with weights_sha256') from None
    if not belongs:
        raise UserError(
            f'{path} belongs to other weights than the file beside it\nPublish the checkpoint again'
        )
    _refuse_unknown(str(path), calibration, (*_PARTS, *_OTHERS))
    for name, entries in _PARTS.items():
        if name in calibration:
            _check_part(f'{path}: {name}', calibration[name], entries, needs_all=name != 'gate')
    return calibration


def strictest(gates: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Thresholds for several models: of each, the one that flags most; defaults fill the gaps."""
    whole = [{**THRESHOLDS, **gate} for gate in gates] or [THRESHOLDS]
    return {
        name: (max if name.startswith('min_') else min)(gate[name] for gate in whole)
        for name in THRESHOLDS
    }


def _check_part(where: str, part: Any, entries: Mapping[str, str], needs_all: bool) -> None:
    if not isinstance(part, dict):
        raise UserError(f'{where} is {part!r}; expected {", ".join(entries)}')
    _refuse_unknown(where, part, entries)
    for name, expected in entries.items():
        if name not in part:
            if needs_all:
                raise UserError(f'{where}: {name} is missing; expected {expected}')
        elif not _VALID[expected](part[name], part):
            raise UserError(f'{where}: {name} is {part[name]!r}; expected {expected}')


def _refuse_unknown(where: str, part: Mapping[str, Any], known: Iterable[str]) -> None:
    names = [*known]
    for name in part:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f'did you mean {close[0]}?' if close else f'expected {", ".join(names)}'
            raise UserError(f'{where}: {name!r} is unknown; {hint}')
