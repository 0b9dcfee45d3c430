"""Saves reconstruction pictures while pretraining goes on."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from echocardmae_mm.evaluation.reconstruction_plot import reconstruction_picture
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.counter_rng import EpochIndex


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Every few epochs, pictures of the same held-out clips under the same masks.

    They lie in ``<work_dir>/pictures/<video>_epoch_<n>.png``.

    Args:
        dataset (dict): Config of the data set whose first videos are drawn, with the pipeline of
            pretraining and ``test_mode=True``.
        interval (int): Epochs between pictures; the last epoch is always drawn. Defaults to 50.
        videos (int): How many videos are drawn. Defaults to 2.
    """

    priority = 'LOW'

    def __init__(
        self,
        dataset: dict,
        interval: int = 50,
        videos: int = 2,
    ) -> None:
        self.dataset = dataset
        self.interval = interval
        self.videos = videos
        self._batch: dict | None = None

    @master_only
    def after_train_epoch(self, runner: Runner) -> None:
        """Draws the pictures of this epoch.

        Args:
            runner (Runner): The runner of the training process.
        """
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            folder = Path(runner.work_dir) / 'pictures'
            folder.mkdir(parents=True, exist_ok=True)
            for sample in self._predict(runner):
                figure = reconstruction_picture(
                    sample.input[0],
                    sample.target[0],
                    sample.reconstruction[0],
                    sample.masked[0],
                    sample.token_size,
                    title=f'{Path(sample.filename).name}, epoch {runner.epoch + 1}',
                )
                stem = Path(sample.filename).stem
                figure.savefig(folder / f'{stem}_epoch_{runner.epoch + 1}.png', dpi=110)

    def _predict(self, runner: Runner) -> list:
        if self._batch is None:
            dataset = DATASETS.build(self.dataset)
            count = min(self.videos, len(dataset))
            self._batch = pseudo_collate([dataset[EpochIndex(i, 0, 0)] for i in range(count)])
        model = runner.model.module if hasattr(runner.model, 'module') else runner.model
        was_training = model.training
        model.eval()
        with torch.no_grad():
            samples = model.test_step(self._batch)
        model.train(was_training)
        return samples
