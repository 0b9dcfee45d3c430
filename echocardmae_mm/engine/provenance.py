"""Where a checkpoint comes from and which recordings it has seen."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch.utils.data import Dataset

import echocardmae_mm
from echocardmae_mm.engine.unwrap_datasets import unwrap_datasets
from echocardmae_mm.utils.errors import UserError

KEY = 'echocardmae_mm'


class Leakage(NamedTuple):
    """Recordings of a test set that a checkpoint was trained on.

    Args:
        recordings (list[str]): Their files.
        tested (int): Recordings of the test set.
        unknown (list[str]): Why more may overlap: what does not say which recordings it saw.
    """

    recordings: list[str]
    tested: int
    unknown: list[str]


def git_commit() -> str | None:
    """Commit of the checkout that this package runs from.

    Returns:
        str | None: The commit, with ``-dirty`` where tracked files were changed; None where the
        package was not installed from a checkout.
    """
    tracked = _git('ls-files', '__init__.py')
    commit = _git('describe', '--always', '--dirty', '--abbrev=40', '--exclude=*')
    return (tracked and commit) or None


def read_provenance(checkpoint: str) -> dict[str, Any]:
    """What a checkpoint says of itself.

    Args:
        checkpoint (str): Path or address.

    Returns:
        dict: ``version``, ``commit``, ``seed``, ``videos`` (hashes of all recordings that it and
        what it started from were trained on, None where it does not know its own) and
        ``started_from`` (for each checkpoint that it started from, its name as ``checkpoint``, and
        as ``known`` whether that said what it saw). A checkpoint of another program says nothing:
        its ``videos`` are None.
    """
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    meta = content.get('meta') if isinstance(content, dict) else None
    return {'videos': None, 'started_from': [], **((meta or {}).get(KEY) or {})}


def starting_points(cfg: dict[str, Any]) -> list[str]:
    """Checkpoints that a run starts from.

    Args:
        cfg (dict): The run's config.

    Returns:
        list[str]: ``load_from`` and what any ``init_cfg`` of the model names.
    """
    named = [cfg['load_from']] if cfg.get('load_from') else []
    return list(dict.fromkeys([*named, *_pretrained(cfg.get('model'))]))


def find_leakage(checkpoint: str, dataset: Dataset) -> Leakage | None:
    """Look for recordings that a checkpoint was trained on, under whatever name, in a test set.

    Args:
        checkpoint (str): Path or address.
        dataset (Dataset): The test set.

    Returns:
        Leakage, optional: None if the test set offers no ``content_hashes``.
    """
    leaves = unwrap_datasets(dataset)
    if not all(hasattr(leaf, 'content_hashes') for leaf in leaves):
        return None
    origin = read_provenance(checkpoint)
    seen = set(origin['videos'] or ())
    unknown = [start['checkpoint'] for start in origin['started_from'] if not start['known']]
    if origin['videos'] is None:
        unknown.append(checkpoint)
    found = [
        leaf.get_data_info(index)['filename']
        for leaf in leaves
        for index, content in enumerate(leaf.content_hashes())
        if content in seen
    ]
    return Leakage(found, sum(len(leaf) for leaf in leaves), unknown)


def check_leakage(checkpoint: str, dataset: Dataset, allowed: bool) -> Leakage | None:
    """Refuse to test on what the checkpoint was trained on, whatever the files are called.

    Args:
        checkpoint (str): Path or address.
        dataset (Dataset): The test set.
        allowed (bool): Whether an overlap is only found out.

    Returns:
        Leakage, optional: None if the test set offers no ``content_hashes``.

    Raises:
        UserError: If there is an overlap and it is not allowed.
    """
    overlap = find_leakage(checkpoint, dataset)
    if overlap is None:
        return None
    if overlap.recordings and not allowed:
        raise UserError(
            f'{checkpoint} was trained on {len(overlap.recordings)} of the {overlap.tested} '
            f'recordings to test on, such as {overlap.recordings[0]}\n'
            'Test on others, or add --allow-leakage: the result will say so'
        )
    for origin in overlap.unknown:
        print_log(
            f'{origin} does not say which recordings it was trained on: that some of them are '
            'tested on cannot be excluded',
            'current',
            logging.WARNING,
        )
    return overlap


def _pretrained(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if part.get('type') == 'Pretrained' and part.get('checkpoint'):
            yield part['checkpoint']
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for item in part:
            yield from _pretrained(item)


def _git(*arguments: str) -> str:
    folder = Path(echocardmae_mm.__file__).parent
    try:
        run = subprocess.run(
            ['git', *arguments], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return run.stdout.strip()
