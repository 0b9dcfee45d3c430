"""EchoNet-Dynamic for ejection fraction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from echocardmae_mm.datasets.csv_table import is_ef, read_number, read_table
from echocardmae_mm.datasets.echonet_lists import (
    FILE_LIST,
    ROWS_OF_A_TRACING,
    TRACINGS,
    VIDEO_FOLDERS,
    find_videos,
    read_tracings,
    video_stem,
)
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import or_phantoms
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


@DATASETS.register_module()
class EchoNetDynamicDataset(RecordingDataset):
    """Apical four-chamber recordings with their ejection fraction (Ouyang et al., Nature 2020).

    Each recording has ``ef`` in per cent, ``esv`` and ``edv`` in ml (NaN if the list has none),
    ``fps``, ``number_of_frames``, ``split``, ``traced_frames``, ``source`` and ``patient`` (each
    recording counts as one patient). Rows without an EF between 0 and 100, repeated rows after the
    first, and recordings missing on disk are dropped. :attr:`report` counts these and the data
    anomalies that are kept: untraced recordings, tracings without exactly 21 rows, and traced
    recordings that are missing in FileList.csv.

    Args:
        data_root (str): Folder that contains FileList.csv, VolumeTracings.csv and Videos (or
            a4c-video-dir).
        split (str | Sequence[str], optional): 'train', 'val', 'test' or several of them,
            case-insensitive. Defaults to None, all.
        drop_untraced (bool): Whether to drop recordings with fewer than two traced frames, as
            EchoNet-Dynamic's own loader does (six in the published set). Defaults to False.
        require_ef (bool): Whether to raise an error for a row without an EF between 0 and 100
            instead of dropping it. Set it to train or test on EF. Defaults to False.
        low_ef (float, optional): EF in per cent below which a recording gets ``label`` 1, otherwise
            0, for MMAction2's classifiers. Defaults to None, no label.
        **kwargs (Any): Arguments of :class:`RecordingDataset`.

    Raises:
        UserError: If a file, a column or the split is missing.
    """

    #: Whether to drop recordings without an ejection fraction.
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
        """List the recordings, in the order of FileList.csv."""
        root = Path(self.data_root)
        rows = self._read_file_list(root / FILE_LIST)
        videos, tracings = find_videos(root), read_tracings(root / TRACINGS)
        listed = rows.assign(stem=rows['FileName'].map(video_stem)).drop_duplicates('stem')
        chosen = self._rows_of_split(listed)
        labelled = self._rows_with_ef(chosen) if self.needs_ef else chosen
        there = labelled[labelled['stem'].isin(videos)]
        if there.empty:
            raise UserError(
                f'{root}: no recording in {FILE_LIST} is on disk and has an EF\n'
                f'Unpack the videos into {root / VIDEO_FOLDERS[0]}, {or_phantoms()}'
            )
        traced = [tracings.get(stem, {}) for stem in there['stem']]
        is_traced = np.array([len(frames) >= 2 for frames in traced])
        untraced = 'untraced (dropped)' if self.drop_untraced else 'untraced (kept)'
        self.report = {
            'rows in the list': len(rows),
            'repeated rows': len(rows) - len(listed),
            'of the split': len(chosen),
            'without an EF of 0 to 100': len(chosen) - len(labelled),
            'missing on disk': len(labelled) - len(there),
            untraced: int((~is_traced).sum()),
            'with odd tracings': sum(
                any(len(tracing) != ROWS_OF_A_TRACING for tracing in frames.values())
                for frames in traced
            ),
            'traced but not listed': len(tracings.keys() - set(listed['stem'])),
        }
        if self.drop_untraced:
            there = there[is_traced]
            if there.empty:
                raise UserError(
                    f'{root / TRACINGS}: missing, or no recording has two traced frames\n'
                    'Set drop_untraced=False to use untraced recordings'
                )
        return [
            sample
            for row in there.to_dict('records')
            for sample in self.samples(row, videos[row['stem']], tracings.get(row['stem'], {}))
        ]

    def samples(
        self, row: dict[str, str], path: Path, tracings: dict[int, np.ndarray]
    ) -> list[dict[str, Any]]:
        """Make the samples of a recording from its row and tracings by frame; here a single one."""
        fps, number_of_frames = read_number(row, 'FPS'), read_number(row, 'NumberOfFrames')
        sample: dict[str, Any] = {
            'filename': str(path),
            'patient': path.stem,
            'source': 'EchoNet-Dynamic',
            'modality': 'RGB',
            'start_index': 0,
            'ef': read_number(row, 'EF'),
            'esv': read_number(row, 'ESV'),
            'edv': read_number(row, 'EDV'),
            'fps': fps if math.isfinite(fps) else None,
            'number_of_frames': int(number_of_frames) if math.isfinite(number_of_frames) else None,
            'split': row.get('Split', '').strip().lower(),
            'traced_frames': list(tracings),
        }
        if self.low_ef is not None:
            sample['label'] = int(sample['ef'] < self.low_ef)
        return [sample]

    def _read_file_list(self, path: Path) -> pd.DataFrame:
        if not path.is_file():
            raise UserError(
                f'{path}: not found; EchoNet-Dynamic is free for research under the agreement of '
                'Stanford AIMI (https://echonet.github.io/dynamic)\n'
                f'Unpack it so that this file exists, {or_phantoms()}'
            )
        needed = {'FileName': True, 'EF': self.needs_ef, 'Split': self.split is not None}
        return read_table(path, [column for column, is_needed in needed.items() if is_needed])

    def _rows_of_split(self, rows: pd.DataFrame) -> pd.DataFrame:
        found = 'an empty list'
        if self.split is not None:
            found = ', '.join(sorted(set(rows['Split']))) or found
            wanted = [str(split).lower() for split in self.split]
            rows = rows[rows['Split'].str.strip().str.lower().isin(wanted)]
        if rows.empty:
            raise UserError(
                f'{Path(self.data_root) / FILE_LIST}: no rows of split {self.split}; found {found}'
            )
        return rows

    def _rows_with_ef(self, rows: pd.DataFrame) -> pd.DataFrame:
        has_ef = np.array([is_ef(read_number(row, 'EF')) for row in rows.to_dict('records')])
        if self.require_ef and not has_ef.all():
            first = rows[~has_ef].sort_values('stem').iloc[0]
            raise UserError(
                f'{Path(self.data_root) / FILE_LIST}: {(~has_ef).sum()} of {len(rows)} rows have '
                f'no EF of 0 to 100 per cent, such as {first["stem"]} with '
                f'{first["EF"] or "nothing"!r}\n'
                'Correct them, or drop them with require_ef=False'
            )
        return rows[has_ef]
