"""Train/test leakage: recordings of a test set that the checkpoint was trained on."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import NamedTuple

from mmengine.logging import print_log
from torch.utils.data import Dataset

from echocardmae_mm.engine.provenance import read_provenance
from echocardmae_mm.engine.unwrap import unwrap_datasets
from echocardmae_mm.utils.errors import UserError


class Leakage(NamedTuple):
    """Recordings of a test set that a checkpoint was trained on.

    Args:
        recordings (list[str]): Their files.
        tested (int): Number of recordings in the test set.
        unknown (list[str]): Checkpoints without a record of their training set, for which leakage
            cannot be excluded.
    """

    recordings: list[str]
    tested: int
    unknown: list[str]


def find_leakage(checkpoint: str, dataset: Dataset) -> Leakage | None:
    """Find the recordings of a test set that a checkpoint was trained on, even if renamed.

    None if the test set has no ``content_hashes``.
    """
    parts = unwrap_datasets(dataset)
    if not all(hasattr(part, 'content_hashes') for part in parts):
        return None
    origin = read_provenance(checkpoint)
    seen = set(origin['videos'] or ())
    unknown = [start['checkpoint'] for start in origin['started_from'] if not start['known']]
    if origin['videos'] is None:
        unknown.append(checkpoint)
    found = recordings_among(seen, dataset)
    return Leakage(found, sum(len(part) for part in parts), unknown)


def recordings_among(hashes: Collection[str], dataset: Dataset) -> list[str]:
    """Files of the recordings of a data set whose content has one of these hashes."""
    return [
        part.get_data_info(index)['filename']
        for part in unwrap_datasets(dataset)
        for index, content in enumerate(part.content_hashes())
        if content and content in hashes
    ]


def check_leakage(checkpoint: str, dataset: Dataset, allowed: bool) -> Leakage | None:
    """Refuse to test on recordings that the checkpoint was trained on, even if renamed.

    If leakage is allowed, it is only returned; see :func:`find_leakage`.
    """
    leakage = find_leakage(checkpoint, dataset)
    if leakage is None:
        return None
    if leakage.recordings and not allowed:
        raise UserError(
            f'{checkpoint} was trained on {len(leakage.recordings)} of the {leakage.tested} '
            f'recordings to test on, such as {leakage.recordings[0]}\n'
            'Test on other recordings, or pass --allow-leakage; the results will mention it'
        )
    for origin in leakage.unknown:
        print_log(
            f'{origin} has no record of the recordings it was trained on: leakage cannot be '
            'excluded',
            'current',
            logging.WARNING,
        )
    return leakage
