"""Early stopping whose patience survives an interruption."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner

from echocardmae_mm.registry import HOOKS

_KEY = 'early_stopping'


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """``EarlyStoppingHook`` that keeps the best score and the epochs waited in the checkpoint.

    mmengine's own hook begins to count anew when a run is resumed, and asks for the training data
    even in a test. A validation that is done again, as :class:`ResumableTrainLoop` does where a run
    may have ended in it, counts once. Arguments as there: ``monitor``, ``rule``, ``min_delta``,
    ``patience``, ...
    """

    _counted: dict[str, Any] | None = None

    def before_run(self, runner: Runner) -> None:
        """Leave the training loop alone, which mmengine's own hook would build in a test too.

        Args:
            runner (Runner): The runner of the training process, or of a test.
        """

    def before_train(self, runner: Runner) -> None:
        """Take up the count where the checkpoint left it.

        Args:
            runner (Runner): The runner of the training process.
        """
        stored = runner.message_hub.get_info(_KEY, None)
        if runner.iter > 0 and stored is not None:
            self._counted = stored
            self.best_score, self.wait_count = stored['best_score'], stored['wait_count']

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Decide whether training stops, and note the count.

        Args:
            runner (Runner): The runner of the training process.
            metrics (dict[str, float], optional): Results of the validation. Defaults to None.
        """
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
