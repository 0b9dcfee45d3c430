"""Plot the curves of a training run from the scalars that mmengine logs."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from echocardmae_mm.engine.unwrap import unwrap_model
from echocardmae_mm.models import EchoCardMAE
from echocardmae_mm.registry import HOOKS

#: Validation metrics to plot: title, metric of the baseline and its label.
VALIDATED = {
    'ef/mae': ('validation error (points of EF)', 'ef/mae_of_median', 'constant median'),
}
_TITLES = {
    'loss': 'total loss',
    'loss_rec': 'reconstruction loss',
    'loss_align': 'alignment loss, weighted',
    'loss_ef': 'ejection-fraction loss',
    'loss_contrast': 'contrastive loss, weighted',
    'loss_cls': 'classification loss',
    'decode.loss_ce': 'cross-entropy',
    'decode.loss_dice': 'Dice loss',
    'lr': 'learning rate',
}


def read_scalars(work_dir: str | Path, of_validation: bool = False) -> pd.DataFrame:
    """Read the scalars of all runs of a work directory.

    Args:
        work_dir (str | Path): The run's work directory.
        of_validation (bool): Whether to read validation rows, whose steps are epochs, instead of
            training rows, whose steps are iterations. Defaults to False.

    Returns:
        pd.DataFrame: One row per logged step, sorted by ``step``, without the repeated steps of a
        resumed run. Empty before the first step.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    lines = [line for file in files for line in file.read_text(encoding='utf-8').splitlines()]
    rows = pd.DataFrame(filter(None, map(_parsed, lines)))
    if rows.empty:
        return pd.DataFrame({'step': []})
    is_training = rows['loss'].notna() if 'loss' in rows else pd.Series(False, rows.index)
    rows = rows[is_training != of_validation]
    rows = rows[['step', *(name for name in rows if name != 'step' and rows[name].notna().any())]]
    return rows.drop_duplicates('step', keep='last').sort_values('step', ignore_index=True)


def _parsed(line: str) -> dict[str, float] | None:
    """A line of a log; None for one that a power cut or a full disk has cut."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def training_curves(
    scalars: pd.DataFrame,
    validations: pd.DataFrame | None = None,
    model: nn.Module | None = None,
) -> Figure:
    """Plot every loss and the learning rate by iteration, and validation errors by epoch.

    Validations in :data:`VALIDATED` are plotted beside their baselines. The model tells whether the
    total loss is Eq. 1.
    """
    titles = {**_TITLES, 'loss': 'total loss (Eq. 1)'} if _is_eq_1(scalars, model) else _TITLES
    losses = sorted(name for name in scalars if 'loss' in name)
    if len(losses) == 2 and scalars['loss'].equals(scalars[losses[1]]):
        losses.remove('loss')
    panels = [*losses, 'lr'] if 'lr' in scalars else losses
    validations = pd.DataFrame() if validations is None else validations
    errors = [name for name in VALIDATED if name in validations]
    count = len(panels) + len(errors)
    figure = Figure(figsize=(4.2 * count, 3.2), layout='constrained')
    axes = figure.subplots(1, count, squeeze=False)[0]
    for axis, name in zip(axes, panels):
        axis.plot(scalars['step'], scalars[name], color='tab:blue', linewidth=1.4)
        axis.set(title=titles.get(name, name), xlabel='iteration')
    for axis, name in zip(axes[len(panels) :], errors):
        title, baseline, label = VALIDATED[name]
        axis.plot(validations['step'], validations[name], '.-', color='tab:blue', linewidth=1.4)
        axis.plot(validations['step'], validations[baseline], '--', color='tab:orange', label=label)
        axis.set(title=title, xlabel='epoch')
        axis.legend(frameon=False)
    for axis in axes:
        axis.grid(alpha=0.3)
    return figure


def _is_eq_1(scalars: pd.DataFrame, model: nn.Module | None) -> bool:
    """Whether the total loss reconstructs pixels and aligns clips."""
    if not isinstance(model, EchoCardMAE) or 'loss_align' not in scalars:
        return False
    return model.latent_target is None


@HOOKS.register_module()
class TrainingCurvesHook(Hook):
    """Update ``<work_dir>/curves.png`` every few epochs, at the end and after each validation.

    Args:
        interval (int): Epochs between updates. Defaults to 10.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval

    def after_train_epoch(self, runner: Runner) -> None:
        """Update the curves every ``interval`` epochs."""
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            self._draw(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Update the curves with the new validation."""
        self._draw(runner)

    @master_only
    def _draw(self, runner: Runner) -> None:
        scalars = read_scalars(runner.work_dir)
        if len(scalars):
            validations = read_scalars(runner.work_dir, of_validation=True)
            figure = training_curves(scalars, validations, unwrap_model(runner.model))
            figure.savefig(Path(runner.work_dir) / 'curves.png', dpi=110)
