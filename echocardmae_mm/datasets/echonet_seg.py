"""The traced frames of EchoNet-Dynamic, for segmentation of the left ventricle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_lists import ROWS_OF_A_TRACING, TRACINGS, read_number
from echocardmae_mm.datasets.tracing import traced_area, tracing_mask
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

_SIZE = 112
_LEAST_INSIDE = 0.5


@DATASETS.register_module()
class EchoNetSegDataset(EchoNetDynamicDataset):
    """End-diastole and end-systole of each recording, with the traced ventricle as the label.

    The frames are decoded from the recordings and the masks are drawn from VolumeTracings.csv, as
    EchoNet-Dynamic's own loader does. Of the two traced frames the one with the larger area is
    end-diastole, whatever the order in the file. Each frame is a sample: besides what
    :class:`EchoNetDynamicDataset` says of its recording it has ``frame``, ``instant`` ('ED' or
    'ES'), ``masks``, the tracing of each traced frame of the recording, and ``img_path``, a name of
    its own for MMSegmentation.

    Counted and left out: frames that lie beyond the recording's end, ventricles of which less than
    half lies in the picture, recordings without two usable tracings. The end is what FileList.csv
    says, and where ``test_mode=True`` also what the recording itself has; training meets recordings
    that are shorter than their list says when it reads them.

    Args:
        drop_odd_tracings (bool): Whether to leave out tracings of other than 21 rows, as rivals do
            (93 recordings of the published set). Defaults to False.
        **kwargs (Any): Of :class:`EchoNetDynamicDataset`: ``data_root``, ``split``, ...

    Raises:
        UserError: If a file, a column or the split is missing.
    """

    METAINFO = dict(classes=('background', 'left ventricle'), palette=[[0, 0, 0], [230, 75, 53]])

    needs_ef = False

    def __init__(self, drop_odd_tracings: bool = False, **kwargs: Any) -> None:
        self.drop_odd_tracings = drop_odd_tracings
        self._left_out: Counter[str] = Counter()
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the lists.

        Returns:
            list[dict]: One dict a frame, end-diastole before end-systole, in the order of
            FileList.csv.
        """
        self._left_out.clear()
        frames = super().load_data_list()
        self.report.update(self._left_out)
        if not frames:
            reasons = ', '.join(f'{count} {what}' for what, count in self._left_out.items())
            raise UserError(
                f'{Path(self.data_root) / TRACINGS}: no traced frame to segment; {reasons}\n'
                'Look at the tracings with: python tools/check_data.py '
                + self.data_root
            )
        return frames

    def samples(
        self, row: dict[str, str], path: Path, tracings: dict[int, np.ndarray]
    ) -> list[dict[str, Any]]:
        """The two traced frames of a recording.

        Args:
            row (dict): Its row of FileList.csv.
            path (Path): The recording.
            tracings (dict[int, np.ndarray]): Its tracings by frame.

        Returns:
            list[dict]: End-diastole and end-systole, or nothing.
        """
        end = self._end(row, path)
        areas = {
            frame: traced_area(tracing)
            for frame, tracing in tracings.items()
            if self._is_usable(row, path, frame, tracing, end)
        }
        if len(areas) < 2:
            self._left_out['recordings without two usable tracings (dropped)'] += 1
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

    def _end(self, row: dict[str, str], path: Path) -> float:
        """How many frames the recording has; NaN where nothing says so."""
        listed = read_number(row, 'NumberOfFrames')
        return np.fmin(listed, self.num_frames(path)) if self.test_mode else listed

    def _is_usable(
        self, row: dict[str, str], path: Path, frame: int, tracing: np.ndarray, end: float
    ) -> bool:
        height, width = (read_number(row, side) for side in ('FrameHeight', 'FrameWidth'))
        shape = (_SIZE, _SIZE) if np.isnan(height + width) else (int(height), int(width))
        if frame < 0 or frame >= end:
            reason = 'tracings beyond the end of the recording (dropped)'
        elif tracing_mask(tracing, shape).sum() < _LEAST_INSIDE * max(traced_area(tracing), 1):
            reason = 'tracings outside the picture (dropped)'
        elif self.drop_odd_tracings and len(tracing) != ROWS_OF_A_TRACING:
            reason = 'odd tracings (dropped)'
        else:
            return True
        self._left_out[reason] += 1
        if not reason.startswith('odd'):
            print_log(f'{path}, frame {frame}: {reason}', 'current')
        return False
