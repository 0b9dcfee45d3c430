"""MMAction2's heads learn from bfloat16 scores; before, their accuracy raised a TypeError."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmaction.utils import register_all_modules
from mmengine.registry import MODELS

import echocardmae_mm  # noqa: F401


@pytest.mark.parametrize('type', ['TimeSformerHead', 'SlowFastHead'])
def test_the_loss_under_autocast_is_that_of_the_scores(type):
    register_all_modules()
    torch.manual_seed(0)
    width = {'TimeSformerHead': (4, 8), 'SlowFastHead': (4, 8, 1, 1, 1)}[type]
    head = MODELS.build(dict(type=f'mmaction.{type}', num_classes=2, in_channels=8)).eval()
    features = torch.randn(*width)
    if type == 'SlowFastHead':
        features = features.chunk(2, dim=1)
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 1, 1, 0)]
    with torch.autocast('cpu', torch.bfloat16):
        scores = head(features)
        losses = head.loss(features, samples)
    assert scores.dtype == torch.bfloat16
    labels = torch.tensor([0, 1, 1, 0])
    expected = torch.nn.functional.cross_entropy(scores.float(), labels)
    torch.testing.assert_close(losses['loss_cls'], expected)
    assert losses['top1_acc'] == (scores.argmax(1) == labels).float().mean()
