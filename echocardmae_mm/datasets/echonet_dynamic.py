"""EchoNet-Dynamic as its owners ship it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from echocardmae_mm.datasets.echonet_lists import (
    FILE_LIST,
    ROWS_OF_A_TRACING,
    TRACINGS,
    read_number,
    read_rows,
    read_tracings,
    video_stem,
)
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import or_phantoms
from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

SOURCE = 'EchoNet-Dynamic'
_VIDEO_FOLDERS = ('Videos', 'a4c-video-dir')


@DATASETS.register_module()
class EchoNetDynamicDataset(RecordingDataset):
    """Apical four-chamber recordings with their ejection fraction (Ouyang et al., Nature 2020).

    Each recording comes with ``ef``, ``esv``, ``edv`` (per cent, ml; NaN volumes where the list has
    none), ``fps``, ``number_of_frames``, ``split``, ``traced_frames``, ``source``, the data set's
    name, and ``patient``: each recording is a patient of its own. Rows without an EF of 0 to 100,
    repeated rows (the first one counts) and recordings missing on disk are left out and counted in
    :attr:`report`, as are oddities that are kept: untraced recordings, tracings of other than 21
    rows, traced recordings that the list lacks.

    Args:
        data_root (str): Folder of FileList.csv, VolumeTracings.csv and Videos (or a4c-video-dir).
        split (str | Sequence[str], optional): 'train', 'val', 'test' or several of them, in any
            case. Defaults to None, all.
        drop_untraced (bool): Whether to leave out recordings with fewer than two traced frames, as
            EchoNet-Dynamic's own loader does (six in the published set). Defaults to False.
        require_ef (bool): Whether a row without an EF of 0 to 100 is an error, as training and
            testing on EF want it, and not left out. Defaults to False.
        low_ef (float, optional): Adds ``label``, 1 for an EF below this per cent and 0 otherwise,
            for stock classifiers. Defaults to None, no label.
        **kwargs (Any): Further arguments of :class:`RecordingDataset`.

    Raises:
        UserError: If a file, a column or the split is missing.
    """

    #: Whether a recording without an ejection fraction is of no use.
    needs_ef = True

    def __init__(
        self,
        data_root: str = 'data/EchoNet-Dynamic',
        split: str | Sequence[str] | None = None,
        drop_untraced: bool = False,
        require_ef: bool = False,
        low_ef: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.split = (split,) if isinstance(split, str) else split
        self.drop_untraced = drop_untraced
        self.require_ef = require_ef
        self.low_ef = low_ef
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the lists.

        Returns:
            list[dict]: One dict a recording, in the order of FileList.csv.
        """
        root = Path(self.data_root)
        rows = _file_list(root, self.split is not None, self.needs_ef)
        videos = find_videos(root)
        tracings = read_tracings(root / TRACINGS) if (root / TRACINGS).is_file() else {}
        first_rows: dict[str, dict[str, str]] = {}
        for row in rows:
            first_rows.setdefault(video_stem(row['FileName']), row)
        chosen = {stem: row for stem, row in first_rows.items() if self._in_split(row)}
        self._require_rows(chosen, rows)
        labelled = {
            stem: row
            for stem, row in chosen.items()
            if not self.needs_ef or is_ef(read_number(row, 'EF'))
        }
        if self.require_ef:
            self._require_ef(chosen, labelled)
        there = {stem: row for stem, row in labelled.items() if stem in videos}
        untraced = {stem for stem in there if len(tracings.get(stem, {})) < 2}
        self.report = {
            'rows in the list': len(rows),
            'repeated rows': len(rows) - len(first_rows),
            'of the split': len(chosen),
            'without an EF of 0 to 100': len(chosen) - len(labelled),
            'missing on disk': len(labelled) - len(there),
            'untraced (dropped)' if self.drop_untraced else 'untraced (kept)': len(untraced),
            'with odd tracings': sum(_is_odd(tracings.get(stem, {})) for stem in there),
            'traced but not listed': len(tracings.keys() - first_rows.keys()),
        }
        if not there:
            raise UserError(
                f'{root}: of {len(chosen)} recordings in {FILE_LIST} none is on disk with an EF\n'
                f'Unpack the videos into {root / _VIDEO_FOLDERS[0]}, {or_phantoms()}'
            )
        return [
            sample
            for stem, row in there.items()
            if not (self.drop_untraced and stem in untraced)
            for sample in self.samples(row, videos[stem], tracings.get(stem, {}))
        ]

    def samples(
        self, row: dict[str, str], path: Path, tracings: dict[int, np.ndarray]
    ) -> list[dict[str, Any]]:
        """What the data set makes of one recording.

        Args:
            row (dict): Its row of FileList.csv.
            path (Path): The recording.
            tracings (dict[int, np.ndarray]): Its tracings by frame.

        Returns:
            list[dict]: The recording itself.
        """
        data = _data_info(row, path, tracings)
        if self.low_ef is not None:
            data['label'] = int(data['ef'] < self.low_ef)
        return [data]

    def _in_split(self, row: dict[str, str]) -> bool:
        return self.split is None or row['Split'].strip().lower() in {
            str(split).lower() for split in self.split
        }

    def _require_rows(self, chosen: dict[str, dict[str, str]], rows: list[dict[str, str]]) -> None:
        if not chosen:
            found = ', '.join(sorted({row['Split'] for row in rows})) if self.split else ''
            raise UserError(
                f'{Path(self.data_root) / FILE_LIST}: no rows of split {self.split}; '
                f'found {found or "an empty list"}'
            )

    def _require_ef(
        self, chosen: dict[str, dict[str, str]], labelled: dict[str, dict[str, str]]
    ) -> None:
        without = sorted(chosen.keys() - labelled.keys())
        if without:
            raise UserError(
                f'{Path(self.data_root) / FILE_LIST}: {len(without)} of {len(chosen)} rows have no '
                f'EF of 0 to 100 per cent, such as {without[0]} with '
                f'{chosen[without[0]]["EF"] or "nothing"!r}\n'
                'Correct them, or leave them out by require_ef=False'
            )


def is_ef(value: float) -> bool:
    """Whether a number can be an ejection fraction in per cent.

    Args:
        value (float): The number.

    Returns:
        bool: True from 0 to 100; false for NaN.
    """
    return 0 <= value <= 100


def find_videos(root: Path) -> dict[str, Path]:
    """Recordings of an EchoNet folder.

    Args:
        root (Path): The folder that holds Videos or a4c-video-dir.

    Returns:
        dict[str, Path]: Path of each recording by its stem.
    """
    return {
        video_stem(path.name): path
        for folder in _VIDEO_FOLDERS
        if (root / folder).is_dir()
        for path in (root / folder).iterdir()
        if looks_like_recording(path)
    }


def _file_list(root: Path, require_split: bool, require_ef: bool) -> list[dict[str, str]]:
    path = root / FILE_LIST
    if not path.is_file():
        raise UserError(
            f"{path}: not found; EchoNet-Dynamic is free for research under Stanford AIMI's "
            'agreement (https://echonet.github.io/dynamic)\n'
            f'Unpack it so that this file exists, {or_phantoms()}'
        )
    needed = {'FileName': True, 'EF': require_ef, 'Split': require_split}
    return read_rows(path, tuple(name for name, is_needed in needed.items() if is_needed))


def _is_odd(frames: dict[int, np.ndarray]) -> bool:
    return any(len(rows) != ROWS_OF_A_TRACING for rows in frames.values())


def _data_info(row: dict[str, str], path: Path, frames: dict[int, np.ndarray]) -> dict[str, Any]:
    fps, number_of_frames = read_number(row, 'FPS'), read_number(row, 'NumberOfFrames')
    return {
        'filename': str(path),
        'patient': path.stem,
        'source': SOURCE,
        'modality': 'RGB',
        'start_index': 0,
        'ef': read_number(row, 'EF'),
        'esv': read_number(row, 'ESV'),
        'edv': read_number(row, 'EDV'),
        'fps': fps if math.isfinite(fps) else None,
        'number_of_frames': int(number_of_frames) if math.isfinite(number_of_frames) else None,
        'split': (row.get('Split') or '').strip().lower(),
        'traced_frames': list(frames),
    }
