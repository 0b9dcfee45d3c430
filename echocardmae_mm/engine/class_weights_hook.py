"""Balance the classes of the training set."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.engine.unwrap import unwrap_datasets, unwrap_model
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.errors import UserError


@HOOKS.register_module()
class ClassWeightsHook(Hook):
    """Weight MMAction2's ``CrossEntropyLoss`` so that all classes contribute equally.

    The weight of a class is ``n / (K n_k)`` with n recordings, K classes and n_k recordings of the
    class in the training set. Runs before every training, because checkpoints do not contain it.
    """

    def before_train(self, runner: Runner) -> None:
        """Set the weights.

        Raises:
            UserError: If a recording has no label, or the head has more or fewer outputs than the
                training set has classes.
        """
        labels: list[int] = []
        for dataset in unwrap_datasets(runner.train_dataloader.dataset):
            infos = [dataset.get_data_info(index) for index in range(len(dataset))]
            if any('label' not in info for info in infos):
                raise UserError(f'{type(dataset).__name__} has recordings without a label')
            labels += [info['label'] for info in infos]
        head = unwrap_model(runner.model).cls_head
        counts = np.bincount(labels, minlength=head.num_classes)
        if len(counts) > head.num_classes or not counts.all():
            found = ', '.join(f'{count} of class {index}' for index, count in enumerate(counts))
            raise UserError(
                f'the training set has {found} recordings; expected some of each of the '
                f'{head.num_classes} classes of the model\n'
                'Add recordings of the missing class, or set num_classes in cls_head'
            )
        weights = len(labels) / (len(counts) * counts)
        head.loss_cls.class_weight = torch.tensor(weights, dtype=torch.float32)
