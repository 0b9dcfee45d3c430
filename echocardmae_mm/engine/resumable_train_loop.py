"""An epoch loop that goes on inside an epoch where a checkpoint left it."""

from __future__ import annotations

from mmengine.runner import EpochBasedTrainLoop

from echocardmae_mm.errors import EchoError
from echocardmae_mm.registry import LOOPS

from .epoch_sampler import EpochSampler


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """``EpochBasedTrainLoop`` whose resumed run sees what the uninterrupted one would see.

    mmengine's own loop repeats the epoch inside which a checkpoint was written. This one begins it
    at the iteration where it was left; the samples before it are not loaded. With
    :class:`EpochSampler` and :class:`ReseedHook` the weights are bit-identical in the end.
    """

    def run_epoch(self) -> None:
        """Runs what is left of the epoch.

        Raises:
            EchoError: If the data set holds no whole batch, or the checkpoint was written with
                other data or another batch size.
        """
        done = self._iterations_done()
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done:
            self._sampler().start_at(done * self._batch_size())
        if done < len(self.dataloader):
            for batch_idx, data_batch in enumerate(self.dataloader, start=done):
                self.run_iter(batch_idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _iterations_done(self) -> int:
        length = len(self.dataloader)
        if length == 0:
            raise EchoError(
                f'the training set has {len(self.dataloader.dataset)} recordings, fewer than one '
                f'batch of {self._batch_size()}: use a smaller train_dataloader.batch_size'
            )
        done = self._iter - self._epoch * length
        if not 0 <= done <= length:
            raise EchoError(
                f'the checkpoint is at iteration {self._iter} of epoch {self._epoch}, which does '
                f'not fit epochs of {length} iterations: resume with the data, batch size and '
                'number of GPUs it was written with, or take its weights only by load_from'
            )
        return done

    def _batch_size(self) -> int:
        return self.dataloader.batch_sampler.batch_size

    def _sampler(self) -> EpochSampler:
        sampler = self.dataloader.batch_sampler.sampler
        if not isinstance(sampler, EpochSampler):
            raise EchoError(
                f'{type(sampler).__name__} cannot begin inside an epoch, where the checkpoint was '
                "written: use sampler=dict(type='echocardmae_mm.EpochSampler')"
            )
        return sampler
