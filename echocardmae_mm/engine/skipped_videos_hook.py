"""Tells in the log which recordings training had to skip."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from echocardmae_mm.registry import HOOKS


@HOOKS.register_module()
class SkippedVideosHook(Hook):
    """Logs after each epoch how many recordings were skipped, and each new one with its reason.

    It reads :attr:`EchoVideoDataset.skipped`, which the loading processes share, and does nothing
    for a data set without it.
    """

    def __init__(self) -> None:
        self._told: set[int] = set()

    def after_train_epoch(self, runner: Runner) -> None:
        """Logs what the epoch skipped.

        Args:
            runner (Runner): The runner of the training process.
        """
        dataset = _innermost(runner.train_dataloader.dataset)
        skipped = getattr(dataset, 'skipped', None)
        if skipped is None:
            return
        everywhere = skipped.to(torch.int32)
        all_reduce(everywhere, op='max')
        indices = everywhere.nonzero().flatten().tolist()
        for index in indices:
            if index not in self._told:
                self._told.add(index)
                runner.logger.warning(f'skipped {dataset.skip_reason(index)}')
        if indices:
            runner.logger.warning(
                f'{len(indices)} of {len(dataset)} recordings skipped so far; others took their '
                'places. tools/check_data.py lists everything that is wrong with a data set'
            )


def _innermost(dataset: Dataset) -> Dataset:
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset
