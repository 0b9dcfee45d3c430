"""Plot segmented frames during training and testing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.evaluation.seg_metric import labelled_index
from echocardmae_mm.evaluation.segmentation_plot import Segmented, segmentation_plot
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.errors import RecordingError


@HOOKS.register_module()
class SegmentationHook(Hook):
    """Plot predicted and true outlines on the first frames of a validation or a test.

    MMSegmentation's own hook reads image files; this one reads the frames of recordings. It writes
    ``<work_dir>/pictures/val_epoch_<n>.png`` and ``test.png``.

    Args:
        interval (int): Epochs between plots; the last epoch is always plotted. Defaults to 10.
        frames (int): Number of frames. Defaults to 8.
    """

    priority = 'LOWEST'  # after the checkpoint

    def __init__(self, interval: int = 10, frames: int = 8) -> None:
        self.interval = interval
        self.frames = frames
        self._samples: list[Any] = []

    def before_val_epoch(self, runner: Runner) -> None:
        """Discard the predictions of the previous validation."""
        self._samples.clear()

    before_test_epoch = before_val_epoch

    @master_only
    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the first predictions."""
        self._samples.extend(outputs[: self.frames - len(self._samples)])

    after_test_iter = after_val_iter

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Plot a validation every ``interval`` epochs."""
        epoch = runner.epoch
        if epoch % self.interval == 0 or epoch == runner.max_epochs:
            self._draw(runner, f'val_epoch_{epoch}', runner.val_dataloader.dataset.metainfo)

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Plot a test."""
        self._draw(runner, 'test', runner.test_dataloader.dataset.metainfo)

    def _draw(self, runner: Runner, name: str, metainfo: dict[str, Any]) -> None:
        if not self._samples:
            return
        frames = []
        for sample in self._samples:
            try:
                frames.append(_segmented(sample))
            except RecordingError as error:
                runner.logger.warning(f'no picture of {error}')
        self._samples.clear()
        if not frames:
            return
        folder = Path(runner.work_dir) / 'pictures'
        folder.mkdir(parents=True, exist_ok=True)
        palette = [tuple(colour) for colour in metainfo['palette'][1:]]
        figure = segmentation_plot(frames, metainfo['classes'], palette)
        figure.savefig(folder / f'{name}.png', dpi=110)


def _segmented(sample: Any) -> Segmented:
    index = labelled_index(sample)
    predicted, true = (
        np.asarray(part.data[index].cpu()) for part in (sample.pred_sem_seg, sample.gt_sem_seg)
    )
    overlap = ((predicted == 1) & (true == 1)).sum()
    total = (predicted == 1).sum() + (true == 1).sum()
    dice = f', Dice {2 * overlap / total:.2f}' if total else ''
    return Segmented(
        open_recording(sample.filename).frames([int(sample.get('frame', 0))])[0],
        predicted,
        true,
        f'{Path(sample.img_path).name.partition(".")[0]}{dice}',
    )
