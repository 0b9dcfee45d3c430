"""Curves of a training run, drawn from the scalars that mmengine logs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.registry import HOOKS


def read_scalars(work_dir: str | Path) -> pd.DataFrame:
    """Scalars of all runs of a work directory; a step that a resumed run repeats counts once.

    Args:
        work_dir (str | Path): The run's work directory.

    Returns:
        pd.DataFrame: A row for each logged step, sorted by ``step``; empty before the first.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    tables = [pd.read_json(file, lines=True) for file in files if file.stat().st_size]
    tables = [table[table['loss'].notna()] for table in tables if 'loss' in table]
    if not tables:
        return pd.DataFrame({'step': []})
    rows = pd.concat(tables, ignore_index=True)
    return rows.drop_duplicates('step', keep='last').sort_values('step', ignore_index=True)


def training_curves(scalars: pd.DataFrame) -> Figure:
    """Draws every loss and the learning rate against the iteration.

    Args:
        scalars (pd.DataFrame): As :func:`read_scalars` gives them.

    Returns:
        Figure: The picture; nothing is shown or saved.
    """
    losses = sorted(name for name in scalars if 'loss' in name)
    panels = [*losses, 'lr'] if 'lr' in scalars else losses
    figure = Figure(figsize=(4.2 * len(panels), 3.2), layout='constrained')
    for axis, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        axis.plot(scalars['step'], scalars[name], color='tab:blue', linewidth=1.4)
        axis.set(title=_TITLES.get(name, name), xlabel='iteration')
        axis.grid(alpha=0.3)
    return figure


_TITLES = {
    'loss': 'total loss (Eq. 1)',
    'loss_rec': 'reconstruction loss',
    'loss_align': 'alignment loss, weighted',
    'lr': 'learning rate',
}


@HOOKS.register_module()
class TrainingCurvesHook(Hook):
    """Redraws ``<work_dir>/curves.png`` every few epochs and at the end.

    Args:
        interval (int): Epochs between drawings. Defaults to 10.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval

    @master_only
    def after_train_epoch(self, runner: Runner) -> None:
        """Redraws the curves.

        Args:
            runner (Runner): The runner of the training process.
        """
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            scalars = read_scalars(runner.work_dir)
            if len(scalars):
                training_curves(scalars).savefig(Path(runner.work_dir) / 'curves.png', dpi=110)
