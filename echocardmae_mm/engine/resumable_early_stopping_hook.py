"""Early stopping that survives an interruption."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner

from echocardmae_mm.registry import HOOKS

_KEY = 'early_stopping'


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """``EarlyStoppingHook`` that stores its count in the checkpoint.

    mmengine's own hook restarts the count in a resumed run, and needs the training data even in a
    test. A validation that :class:`ResumableTrainLoop` repeats counts once. Takes the arguments of
    ``EarlyStoppingHook``.
    """

    _counted: dict[str, Any] | None = None

    def before_run(self, runner: Runner) -> None:
        """Do nothing; mmengine's own hook builds the training loop here, even in a test."""

    def before_train(self, runner: Runner) -> None:
        """Restore the count from the checkpoint."""
        stored = runner.message_hub.get_info(_KEY, None)
        if runner.iter > 0 and stored is not None:
            self._counted = stored
            self.best_score, self.wait_count = stored['best_score'], stored['wait_count']

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Decide whether training stops, and store the count."""
        if self._counted is not None and self._counted['epoch'] == runner.epoch:
            self.best_score, self.wait_count = self._counted['before']
        before = [float(self.best_score), self.wait_count]
        super().after_val_epoch(runner, metrics or {})
        self._counted = {
            'best_score': float(self.best_score),
            'wait_count': self.wait_count,
            'epoch': runner.epoch,
            'before': before,
        }
        runner.message_hub.update_info(_KEY, self._counted)
