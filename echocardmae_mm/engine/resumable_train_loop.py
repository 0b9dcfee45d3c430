"""An epoch-based training loop that can resume within an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.dist import broadcast, get_world_size, is_main_process
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from echocardmae_mm.engine.checkpoint_compat import require_start
from echocardmae_mm.engine.epoch_sampler import EpochSampler
from echocardmae_mm.registry import LOOPS
from echocardmae_mm.utils.atomic_backend import AtomicBackend
from echocardmae_mm.utils.errors import UserError

_EPOCHS = 'echocardmae_mm.epochs'
_ADVICE = (
    'Resume with the same data, batch size and number of GPUs, or load only the weights with '
    'load_from.'
)


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` whose resumed run sees the same data as an uninterrupted one.

    mmengine's own loop repeats the epoch in which a checkpoint was written. This one continues at
    the iteration of the checkpoint, without loading earlier samples. It repeats a validation that
    was due at the checkpoint, because the run may have ended during it. With :class:`EpochSampler`
    and :class:`ReseedHook` the final weights are bit-identical, unless the checkpoint was written
    between two updates with accumulated gradients, which mmengine does not store.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): The loader of the training set, or its config.
        **kwargs (Any): ``max_epochs``, ``val_begin``, ``val_interval`` and ``dynamic_intervals`` of
            ``EpochBasedTrainLoop``.

    Raises:
        UserError: If the data set is smaller than one batch.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, **kwargs: Any) -> None:
        super().__init__(runner, dataloader, **kwargs)
        if len(self.dataloader) == 0:
            raise UserError(
                f'The training set has {len(self.dataloader.dataset)} recordings, fewer than one '
                f'batch of {self.dataloader.batch_sampler.batch_size} for each process.\n'
                'Use a smaller train_dataloader.batch_size, or more recordings.'
            )

    def run(self) -> nn.Module:
        """Train until the last epoch; call ``leave_train`` of the hooks even after an error.

        Raises:
            UserError: If the checkpoint was written with other data or another batch size.
        """
        self._adopt_run_seed()
        try:
            self.runner.call_hook('before_train')
            if not self._iter and self.runner.cfg.get('load_from'):
                require_start(self.runner.model, self.runner.cfg.load_from)
            if self._iter:
                self._require_same_epochs()
                self._name_checkpoint()
                if not self._iterations_done():
                    self._validate_if_due()
            self.runner.message_hub.update_info(_EPOCHS, self._epochs())
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._validate_if_due()
            self.runner.call_hook('after_train')
        finally:
            self.runner.call_hook('leave_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Run the rest of the epoch."""
        done = self._iterations_done()
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done < len(self.dataloader):
            if done:
                self._begin_at(done)
            for batch_idx, data_batch in enumerate(self.dataloader, start=done):
                self.run_iter(batch_idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _validate_if_due(self) -> None:
        self._decide_current_val_interval()
        last = self._epoch == self._max_epochs
        if (
            self.runner.val_loop is not None
            and self._epoch >= self.val_begin
            and (last or self._epoch % self.val_interval == 0)
        ):
            self.runner.val_loop.run()

    def _epochs(self) -> dict[str, int]:
        return {
            'recordings': len(self.dataloader.dataset),
            'in a batch': self.dataloader.batch_sampler.batch_size,
            'processes': get_world_size(),
        }

    def _name_checkpoint(self) -> None:
        """Write ``last_checkpoint``: it is empty if the run was killed while mmengine wrote it."""
        checkpoint, folder = self.runner.cfg.get('load_from'), Path(self.runner.work_dir).resolve()
        if checkpoint and is_main_process() and Path(checkpoint).resolve().parent == folder:
            AtomicBackend().put(str(checkpoint).encode(), folder / 'last_checkpoint')

    def _require_same_epochs(self) -> None:
        before, now = self.runner.message_hub.get_info(_EPOCHS, None), self._epochs()
        if before not in (None, now):
            raise UserError(
                f'The checkpoint was written with {_listed(before)}; now there are {_listed(now)}.'
                f'\n{_ADVICE}'
            )
        if not self.runner.optim_wrapper.should_update():
            self.runner.logger.warning(
                f'the checkpoint at iteration {self._iter} was written between two updates with '
                'accumulated gradients, which are lost: the run will differ from an uninterrupted '
                'one'
            )

    def _iterations_done(self) -> int:
        length = len(self.dataloader)
        done = self._iter - self._epoch * length
        if not 0 <= done <= length:
            raise UserError(
                f'The checkpoint is at iteration {self._iter} in epoch {self._epoch + 1}, which '
                f'does not fit epochs of {length} iterations.\n{_ADVICE}'
            )
        return done

    def _begin_at(self, iteration: int) -> None:
        sampler = self.dataloader.batch_sampler.sampler
        if not isinstance(sampler, EpochSampler):
            raise UserError(
                f'{type(sampler).__name__} cannot start within an epoch, which this checkpoint '
                "requires.\nUse sampler=dict(type='echocardmae_mm.EpochSampler')."
            )
        sampler.start_at(iteration * self.dataloader.batch_sampler.batch_size)

    def _adopt_run_seed(self) -> None:
        # The sampler was built before resuming restored the seed of the checkpoint.
        sampler = self.dataloader.batch_sampler.sampler
        if isinstance(sampler, EpochSampler):
            seed = torch.tensor(self.runner.seed)
            broadcast(seed)
            sampler.seed = int(seed)


def _listed(epochs: dict[str, int]) -> str:
    return ', '.join(f'{count} {name}' for name, count in epochs.items())
