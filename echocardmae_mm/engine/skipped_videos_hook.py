"""Log which recordings training skipped, and how many it padded."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from echocardmae_mm.engine.unwrap import unwrap_datasets
from echocardmae_mm.registry import HOOKS


@HOOKS.register_module()
class SkippedVideosHook(Hook):
    """After each epoch, log how many recordings were skipped, and why for each new one.

    Reads the flags ``skipped`` and ``padded`` of :class:`RecordingDataset`, which the workers
    share. Does nothing for a data set without them.
    """

    def __init__(self) -> None:
        self._reported: set[tuple[int, int]] = set()
        self._padded = 0

    def after_train_epoch(self, runner: Runner) -> None:
        """Log newly skipped recordings and the counts."""
        datasets = unwrap_datasets(runner.train_dataloader.dataset)
        skipped = [_flagged(dataset, 'skipped') for dataset in datasets]
        padded = sum(len(_flagged(dataset, 'padded')) for dataset in datasets)
        if not is_main_process():
            return
        for place, (dataset, indices) in enumerate(zip(datasets, skipped)):
            for index in indices:
                if (place, index) not in self._reported:
                    self._reported.add((place, index))
                    runner.logger.warning(f'skipped {dataset.skip_reason(index)}')
        total = sum(len(dataset) for dataset in datasets)
        if self._reported:
            runner.logger.warning(
                f'skipped and replaced {len(self._reported)} of {total} recordings so far; '
                'echocardmae check lists all faults of a data set'
            )
        if padded > self._padded:
            self._padded = padded
            runner.logger.info(f'padded {padded} of {total} recordings so far: shorter than a clip')


def _flagged(dataset: Dataset, name: str) -> list[int]:
    """Indices of the recordings that any process on any rank has flagged."""
    flags = getattr(dataset, name, None)
    if flags is None:
        return []
    everywhere = flags.to(torch.int32)
    all_reduce(everywhere, op='max')
    return everywhere.nonzero().flatten().tolist()
