"""Write the results of a test: predictions.csv, plots and test.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.engine.leakage import Leakage
from echocardmae_mm.engine.provenance import read_provenance
from echocardmae_mm.engine.unwrap import unwrap_datasets
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PREDICTIONS, RESULT, PredictionMetric
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256
from echocardmae_mm.utils.git import git_commit


@HOOKS.register_module()
class PredictionsHook(Hook):
    """Write the predictions of every :class:`PredictionMetric`.

    A test writes ``predictions.csv`` to the work directory, no matter which tool runs it, and
    ``<prefix>_predictions.csv`` of every further metric. With ``plot``, it also writes
    ``plots/test_*.png``, and each validation updates ``plots/val_*.png``.

    Args:
        plot (bool): Whether to draw plots; :func:`enable_plots` sets it. Defaults to False.
    """

    priority = 'LOW'

    def __init__(self, plot: bool = False) -> None:
        self.plot = plot

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the table and the plots of a test."""
        for number, metric in enumerate(_prediction_metrics(runner.test_evaluator)):
            name = f'{metric.prefix}_{PREDICTIONS}' if number else PREDICTIONS
            table = metric.predictions.to_csv(index=False)
            atomic_write_text(Path(runner.work_dir) / name, table)
            self._draw(runner, metric, 'test')

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Plot a validation."""
        for metric in _prediction_metrics(runner.val_evaluator):
            self._draw(runner, metric, 'val')

    def _draw(self, runner: Runner, metric: PredictionMetric, part: str) -> None:
        if not self.plot:
            return
        folder = Path(runner.work_dir) / 'plots'
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in metric.plots(metric.predictions).items():
            figure.savefig(folder / f'{part}_{name}.png', dpi=150)


def enable_plots(runner: Runner) -> None:
    """Make a runner plot the predictions of its test; its config needs :class:`PredictionsHook`."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, PredictionsHook)]
    if not hooks:
        raise UserError(
            f'{runner.cfg.filename}: --plot needs '
            "default_hooks.predictions=dict(type='echocardmae_mm.PredictionsHook')"
        )
    for hook in hooks:
        hook.plot = True


def write_test_results(
    runner: Runner, metrics: dict[str, float], checkpoint: str, leakage: Leakage | None
) -> Path:
    """Write ``<work_dir>/test.json``, and log the metrics as tables.

    Call it on the main process, after ``runner.test()``. The file holds the metrics, the checkpoint
    with its SHA-256 and provenance, the tested data sets, the leakage, the seed, the commit and the
    text of the config.
    """
    reporting = [metric for metric in runner.test_evaluator.metrics if hasattr(metric, 'report')]
    reports = [metric.report() for metric in reporting]
    reported = tuple(f'{metric.prefix}/' for metric in reporting)
    others = {name: value for name, value in metrics.items() if not name.startswith(reported)}
    if others:
        rows = [(name, f'{value:.4g}') for name, value in others.items()]
        reports.append(markdown_table(('metric', 'value'), rows))
    for report in reports:
        runner.logger.info(f'Results\n{report}')

    file = Path(checkpoint)
    digest = file_sha256(file) if file.is_file() else None
    origin = read_provenance(checkpoint)
    result = {
        'metrics': metrics,
        'checkpoint': checkpoint,
        'checkpoint_sha256': digest,
        'data': _describe(runner.test_dataloader.dataset),
        'leakage': leakage and leakage._asdict(),
        'trained': {name: origin.get(name) for name in ('seed', 'commit', 'version')},
        'seed': runner.seed,
        'commit': git_commit(),
        'config': runner.cfg.filename,
        'config_text': runner.cfg.pretty_text,
    }
    path = Path(runner.work_dir) / RESULT
    atomic_write_text(path, json_text(result))
    return path


def _describe(dataset: Any) -> list[dict[str, Any]]:
    """Describe the data sets of a test, with their counts on disk."""
    return [
        {
            'type': type(part).__name__,
            'data_root': getattr(part, 'data_root', None),
            'recordings': len(part),
            'found': getattr(part, 'report', None),
        }
        for part in unwrap_datasets(dataset)
    ]


def _prediction_metrics(evaluator: Evaluator) -> list[PredictionMetric]:
    return [metric for metric in evaluator.metrics if isinstance(metric, PredictionMetric)]
