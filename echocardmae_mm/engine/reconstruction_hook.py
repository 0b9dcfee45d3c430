"""Hooks for pretraining: plot reconstructions, and compute the mean clip as a baseline."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from echocardmae_mm.engine.skipping_val_loop import iter_usable
from echocardmae_mm.engine.unwrap import unwrap_model
from echocardmae_mm.evaluation.reconstruction_metric import ReconstructionMetric
from echocardmae_mm.evaluation.reconstruction_plot import reconstruction_plot
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.counter_rng import EpochIndex


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Plot the reconstruction of the same clips, under the same masks, every few epochs.

    Uses the first usable videos of the validation set or, without one, of the training set, and
    writes ``<work_dir>/pictures/<video>_epoch_<n>.png``. A model with latent targets has no plots.

    Args:
        interval (int): Epochs between plots; the last epoch is always plotted. Defaults to 50.
        videos (int): Number of videos. Defaults to 2.
    """

    priority = 'LOWEST'  # after the checkpoint

    def __init__(self, interval: int = 50, videos: int = 2) -> None:
        self.interval = interval
        self.videos = videos
        self._batch: dict | None = None

    @master_only
    def after_train_epoch(self, runner: Runner) -> None:
        """Draw the plots of this epoch."""
        if not (self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)):
            return
        if unwrap_model(runner.model).latent_target is not None:
            return
        folder = Path(runner.work_dir) / 'pictures'
        folder.mkdir(parents=True, exist_ok=True)
        for sample in self._predict(runner):
            video, epoch = Path(sample.filename), runner.epoch + 1
            figure = reconstruction_plot(
                sample.input[0],
                sample.target[0],
                sample.reconstruction[0],
                sample.masked[0],
                sample.token_size,
                title=f'{video.name}, epoch {epoch}',
            )
            figure.savefig(folder / f'{video.stem}_epoch_{epoch}.png', dpi=110)

    def _predict(self, runner: Runner) -> list:
        if self._batch is None:
            dataset = (runner.val_loop or runner.train_loop).dataloader.dataset
            indices = (EpochIndex(i, 0, 0) for i in range(len(dataset)))
            samples = list(islice(iter_usable(dataset, indices), self.videos))
            if not samples:
                return []
            self._batch = pseudo_collate(samples)
        model = unwrap_model(runner.model)
        was_training = model.training
        model.eval()
        with torch.no_grad():
            samples = model.test_step(self._batch)
        model.train(was_training)
        return samples


@HOOKS.register_module()
class TrainingMeanHook(Hook):
    """Pass the mean target of the training set to every :class:`ReconstructionMetric` of a test.

    The metrics then report the baseline ``train_mean``. Does nothing if the config has no training
    set.
    """

    def before_test(self, runner: Runner) -> None:
        """Compute the mean, once for all metrics that use it."""
        metrics = [m for m in runner.test_evaluator.metrics if isinstance(m, ReconstructionMetric)]
        loader = runner.cfg.get('train_dataloader')
        if not metrics or not loader:
            return
        mean = training_mean(runner.model, loader, metrics[0].seed)
        for metric in metrics:
            metric.train_mean = mean


@torch.no_grad()
def training_mean(model: Any, loader: dict, seed: int = 0) -> Tensor:
    """Mean reconstruction target of a training set, with clips sampled once per video.

    Args:
        model (BaseModel): The model, whose data preprocessor makes the targets.
        loader (dict): Config of the training dataloader: data set, batch size and workers.
        seed (int): Seed of the clips. Defaults to 0.

    Returns:
        Tensor: float32 of shape (3, T, H, W), on the CPU.
    """
    dataset = DATASETS.build(loader['dataset'])
    batches = DataLoader(
        dataset,
        batch_size=loader['batch_size'],
        sampler=[EpochIndex(index, 0, seed) for index in range(len(dataset))],
        num_workers=loader.get('num_workers', 0),
        collate_fn=pseudo_collate,
    )
    preprocess = unwrap_model(model).data_preprocessor
    total, clips = torch.zeros(()), 0
    for batch in batches:
        target = preprocess(batch, False)['inputs']['target']  # (2B, 3, T, H, W)
        total = total + target.sum(0, dtype=torch.float64).cpu()
        clips += len(target)
    return (total / clips).float()
