from types import SimpleNamespace

import pytest

from echocardmae_mm.engine import TargetStatisticsHook
from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.errors import UserError


class Labelled:
    def __init__(self, *efs):
        self.efs = efs

    def __len__(self):
        return len(self.efs)

    def get_data_info(self, index):
        return {'ef': self.efs[index]} if self.efs[index] is not None else {'filename': 'x.avi'}


def runner(dataset, iteration=0):
    return SimpleNamespace(
        iter=iteration,
        train_dataloader=SimpleNamespace(dataset=dataset),
        model=SimpleNamespace(cls_head=EFHead(in_channels=4)),
    )


def test_the_head_starts_at_the_mean_of_all_training_sets():
    training = runner(SimpleNamespace(datasets=[Labelled(40.0, 50.0), Labelled(75.0)]))
    TargetStatisticsHook().before_train(training)
    assert float(training.model.cls_head.mean) == pytest.approx(55)
    assert training.model.cls_head.fc.bias.item() == pytest.approx(0.55)


def test_a_resumed_run_is_not_changed():
    training = runner(Labelled(40.0, 50.0), iteration=7)
    TargetStatisticsHook().before_train(training)
    assert training.model.cls_head.mean.isnan()


def test_a_data_set_without_ef_is_named():
    with pytest.raises(UserError, match='Labelled has no EF to train on'):
        TargetStatisticsHook().before_train(runner(Labelled(40.0, None)))
