"""Saves the predictions that a metric keeps, and their pictures."""

from __future__ import annotations

from pathlib import Path

from mmengine.dist import master_only
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.evaluation.prediction_metric import PREDICTIONS
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.atomic_files import atomic_write_text


@HOOKS.register_module()
class PredictionsHook(Hook):
    """Writes the table of every :class:`PredictionMetric` of the evaluator.

    A test writes ``<work_dir>/predictions.csv``, a row a recording, and with ``plot`` the metric's
    pictures to ``<work_dir>/plots/test_*.png``. With ``plot`` a validation while training redraws
    ``<work_dir>/plots/val_*.png``.

    Args:
        plot (bool): Whether pictures are drawn; ``tools/test.py --plot`` says so for a test.
            Defaults to False.
    """

    priority = 'LOW'

    def __init__(self, plot: bool = False) -> None:
        self.plot = plot

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write what the test gave.

        Args:
            runner (Runner): The runner of the test.
            metrics (dict[str, float], optional): Unused. Defaults to None.
        """
        for metric in _table_metrics(runner.test_loop.evaluator):
            table = metric.predictions.to_csv(index=False)
            atomic_write_text(Path(runner.work_dir) / PREDICTIONS, table)
            self._draw(runner, metric, 'test')

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Draw what the validation gave.

        Args:
            runner (Runner): The runner of the training process.
            metrics (dict[str, float], optional): Unused. Defaults to None.
        """
        for metric in _table_metrics(runner.val_loop.evaluator):
            self._draw(runner, metric, 'val')

    def _draw(self, runner: Runner, metric: object, part: str) -> None:
        if not self.plot:
            return
        folder = Path(runner.work_dir) / 'plots'
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in metric.plots(metric.predictions).items():  # type: ignore[attr-defined]
            figure.savefig(folder / f'{part}_{name}.png', dpi=150)


def _table_metrics(evaluator: Evaluator) -> list:
    return [metric for metric in evaluator.metrics if hasattr(metric, 'predictions')]
