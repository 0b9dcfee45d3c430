"""EchoNet-Dynamic for segmentation of the left ventricle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from echocardmae_mm.datasets.csv_table import read_number
from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_lists import ROWS_OF_A_TRACING, TRACINGS
from echocardmae_mm.datasets.tracing import traced_area, visible_share
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

_SIDE = 112.0
_MIN_VISIBLE_SHARE = 0.5


@DATASETS.register_module()
class EchoNetSegDataset(EchoNetDynamicDataset):
    """End-diastole and end-systole of each recording, with the traced ventricle as the label.

    The traced frame with the largest area is end-diastole, whatever the order in the file. A sample
    is a frame with the keys of :class:`EchoNetDynamicDataset` and ``frame``, ``instant`` ('ED' or
    'ES'), ``masks`` (the tracing of each traced frame of the recording) and ``img_path`` (a unique
    name for MMSegmentation). ``LoadEchoMask`` draws the masks as EchoNet-Dynamic's own loader does.

    Some frames are dropped and counted in :attr:`report`: frames beyond the number of frames in
    FileList.csv, ventricles with less than half their area in the picture, and recordings without
    two usable tracings.

    Args:
        drop_odd_tracings (bool): Whether to drop tracings without exactly 21 rows, as other papers
            do (93 recordings of the published set). Defaults to False.
        **kwargs (Any): Arguments of :class:`EchoNetDynamicDataset`: ``data_root``, ``split``, ...

    Raises:
        UserError: If a file, a column or the split is missing.
    """

    METAINFO = dict(classes=('background', 'left ventricle'), palette=[[0, 0, 0], [230, 75, 53]])

    needs_ef = False

    def __init__(self, drop_odd_tracings: bool = False, **kwargs: Any) -> None:
        self.drop_odd_tracings = drop_odd_tracings
        self._dropped: Counter[str] = Counter()
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the frames in the order of FileList.csv, end-diastole before end-systole."""
        self._dropped.clear()
        frames = super().load_data_list()
        self.report.update(self._dropped)
        if not frames:
            reasons = ', '.join(f'{count} {reason}' for reason, count in self._dropped.items())
            raise UserError(
                f'{Path(self.data_root) / TRACINGS}: no traced frame to segment; {reasons}\n'
                f'Inspect the tracings with: echocardmae check {self.data_root}'
            )
        return frames

    def samples(
        self, row: dict[str, str], path: Path, tracings: dict[int, np.ndarray]
    ) -> list[dict[str, Any]]:
        """Make the samples of end-diastole and end-systole, if both have usable tracings."""
        areas: dict[int, float] = {}
        for frame, tracing in tracings.items():
            if fault := self._fault(row, frame, tracing):
                self._dropped[f'{fault} (dropped)'] += 1
                print_log(f'{path}, frame {frame}: {fault} (dropped)', 'current')
            else:
                areas[frame] = traced_area(tracing)
        if len(areas) < 2:
            self._dropped['recordings without two usable tracings (dropped)'] += 1
            return []
        recording = super().samples(row, path, tracings)[0]
        largest_first = sorted(areas, key=lambda frame: (-areas[frame], frame))
        instants = {'ED': largest_first[0], 'ES': largest_first[-1]}
        return [
            {
                **recording,
                'frame': frame,
                'instant': instant,
                'masks': {frame: tracings[frame] for frame in areas},
                'num_classes': len(self.METAINFO['classes']),
                'img_path': str(path.with_name(f'{path.stem}_{instant}{path.suffix}')),
                'seg_fields': [],
                'reduce_zero_label': False,
            }
            for instant, frame in instants.items()
        ]

    def _fault(self, row: dict[str, str], frame: int, tracing: np.ndarray) -> str:
        height, width = (read_number(row, side) for side in ('FrameHeight', 'FrameWidth'))
        if not np.isfinite(height + width):
            height = width = _SIDE
        if frame < 0 or frame >= read_number(row, 'NumberOfFrames'):
            return 'tracings beyond the end of the recording'
        if visible_share(tracing, (int(height), int(width))) < _MIN_VISIBLE_SHARE:
            return 'tracings outside the picture'
        if self.drop_odd_tracings and len(tracing) != ROWS_OF_A_TRACING:
            return 'odd tracings'
        return ''
