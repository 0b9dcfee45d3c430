"""Fit a regression head to the targets of the training set."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.engine.unwrap import unwrap_datasets, unwrap_model
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.errors import UserError


@HOOKS.register_module()
class TargetStatisticsHook(Hook):
    """Call ``fit_targets`` of the model's head with the EF of all training recordings.

    Runs before training, but not in a resumed run, whose checkpoint contains the statistics.
    """

    def before_train(self, runner: Runner) -> None:
        """Fit the head to the targets.

        Raises:
            UserError: If a training set has no EF.
        """
        if runner.iter > 0:
            return
        targets: list[float] = []
        for dataset in unwrap_datasets(runner.train_dataloader.dataset):
            infos = [dataset.get_data_info(index) for index in range(len(dataset))]
            if any('ef' not in info for info in infos):
                raise UserError(
                    f'{type(dataset).__name__} has no EF to train on; use EchoNetDynamicDataset, '
                    'CAMUSDataset, or RecordingTableDataset with a column ef'
                )
            targets += [info['ef'] for info in infos]
        unwrap_model(runner.model).cls_head.fit_targets(targets)
