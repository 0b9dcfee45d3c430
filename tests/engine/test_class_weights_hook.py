"""The weights of the classes, against scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pytest
from mmaction.models import TimeSformerHead
from sklearn.utils.class_weight import compute_class_weight

from echocardmae_mm.engine import ClassWeightsHook
from echocardmae_mm.utils.errors import UserError


class Labelled(list):
    """A data set of the given labels."""

    def get_data_info(self, index):
        return {} if self[index] is None else {'label': self[index]}


def runner(*labels, num_classes=3):
    head = TimeSformerHead(num_classes, 4, dict(type='mmaction.CrossEntropyLoss'))
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(
            dataset=SimpleNamespace(datasets=[*map(Labelled, labels)])
        ),
        model=SimpleNamespace(cls_head=head),
    )


def test_classes_are_balanced_over_all_training_sets():
    training = runner([0, 0, 1], [2, 0, 1, 0])
    ClassWeightsHook().before_train(training)
    expected = compute_class_weight('balanced', classes=np.arange(3), y=[0, 0, 1, 2, 0, 1, 0])
    weights = training.model.cls_head.loss_cls.class_weight
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([0, None, 1], 'Labelled has recordings without a label'),
        ([0, 1, 0], r'has 2 of class 0, 1 of class 1, 0 of class 2 .* each of the 3 classes'),
        ([0, 1, 2, 3], r'1 of class 3 recordings; .* 3 classes of the model\nAdd recordings'),
    ],
)
def test_labels_that_do_not_fit_are_named(labels, message):
    with pytest.raises(UserError, match=message):
        ClassWeightsHook().before_train(runner(labels))
