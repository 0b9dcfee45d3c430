"""Stop training whose loss has become NaN or infinite."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, Runner
from torch import Tensor

from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.errors import UserError

_INTERVAL = 10
# A float16 run skips the updates of a few overflowing iterations, and recovers.
_TOLERATED = 4


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop training if the loss stays NaN or infinite, and name the last good checkpoint.

    Stops at most 15 iterations after the first such loss, or at the end of the epoch if a weight is
    NaN or infinite, before the checkpoint is written. mmengine's ``CheckInvalidLossHook`` checks
    every 50 iterations and stops at any overflow of float16.

    Raises:
        UserError: If the loss stays NaN or infinite.
    """

    def before_train(self, runner: Runner) -> None:
        """Start counting."""
        self._count = torch.zeros((), dtype=torch.int64)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Count consecutive invalid losses on the device; read the count every ten iterations."""
        loss = torch.as_tensor((outputs or {}).get('loss', 0.0)).detach()
        self._count = (self._count.to(loss.device) + 1) * ~loss.isfinite().all()
        if self.every_n_train_iters(runner, _INTERVAL):
            count = self._read()
            if count > _TOLERATED:
                self._stop(runner, runner.iter + 2 - count)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop before a checkpoint with invalid weights is written."""
        count = self._read()
        if count and not all(is_finite(weight) for weight in runner.model.parameters()):
            self._stop(runner, runner.iter + 1 - count)

    def _read(self) -> int:
        count = self._count.clone()
        all_reduce(count, op='max')
        return int(count)

    def _stop(self, runner: Runner, iteration: int) -> None:
        good = last_good_checkpoint(runner.work_dir)
        advice = f'continue with --resume {good}' if good else 'start again'
        raise UserError(
            f'the loss is NaN or infinite since iteration {iteration}; last good checkpoint: '
            f'{good or "none"}\nSet optim_wrapper.clip_grad or a lower learning rate, and {advice}'
        )


def is_finite(weight: Tensor) -> bool:
    """Whether a tensor holds neither NaN nor infinity."""
    return bool(weight.isfinite().all())


def last_good_checkpoint(work_dir: str) -> Path | None:
    """Find the newest checkpoint to resume from whose weights are finite."""
    files = (file for file in Path(work_dir).glob('*.pth') if not file.name.startswith('best_'))
    for file in sorted(files, key=lambda file: file.stat().st_mtime, reverse=True):
        try:
            checkpoint = CheckpointLoader.load_checkpoint(str(file), map_location='cpu')
        except Exception as error:
            print_log(f'{file} does not load: {error}', 'current', logging.WARNING)
            continue
        if all(is_finite(weight) for weight in checkpoint['state_dict'].values()):
            return file
    return None
