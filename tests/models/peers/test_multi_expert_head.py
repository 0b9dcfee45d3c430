"""EchoMEN's experts against plain sums."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from echocardmae_mm.models.peers import MultiExpertHead

EFS = np.concatenate([np.full(90, 55.2), np.full(30, 60.7), np.full(5, 30.1)])


def samples(*efs):
    made = []
    for ef in efs:
        sample = ActionDataSample()
        sample.set_field(ef, 'ef')
        made.append(sample)
    return made


def weight(ef, power):
    """By the formula: a clipped histogram, interpolated, to a power, divided by its mean."""
    counts = np.clip(np.histogram(EFS, 100, (0, 100))[0], 10, 50)
    raw = np.interp([ef, *EFS], np.arange(100) + 0.5, counts) ** -power
    return raw[0] / raw[1:].mean()


@pytest.fixture
def head():
    torch.manual_seed(0)
    made = MultiExpertHead(in_channels=6, counts=(10, 50), hidden_channels=5)
    torch.nn.init.normal_(made.experts.weight)
    made.fit_targets(EFS)
    return made


def test_the_losses_are_weighted_sums(head):
    features, efs = torch.randn(3, 6), [55.2, 58.3, 30.1]
    losses = head.loss(features, samples(*efs))
    experts = (55.6 + features @ head.experts.weight.T + head.experts.bias).detach().numpy()
    expected = sum(
        np.mean([weight(ef, power) * (row[m] - ef) ** 2 for ef, row in zip(efs, experts)])
        for m, power in enumerate((0, 0.5, 1))
    )
    assert losses['loss_experts'].item() == pytest.approx(expected, rel=1e-4)
    alpha = head.aggregator(features).softmax(1).detach().numpy()
    mixture = (alpha * experts).sum(1)
    assert losses['loss_mixture'].item() == pytest.approx(np.mean((mixture - efs) ** 2), rel=1e-4)
    np.testing.assert_allclose(head(features).detach(), mixture, rtol=1e-5)


def test_each_part_learns_from_its_own_loss(head):
    losses = head.loss(torch.randn(4, 6), samples(40.0, 50.0, 60.0, 70.0))
    losses['loss_mixture'].backward(retain_graph=True)
    assert head.experts.weight.grad is None
    assert head.aggregator[0].weight.grad.abs().sum() > 0
    before = head.aggregator[0].weight.grad.clone()
    losses['loss_experts'].backward()
    assert head.experts.weight.grad.abs().sum() > 0
    assert torch.equal(head.aggregator[0].weight.grad, before)


def test_two_clips_of_a_recording_share_its_ejection_fraction(head):
    features = torch.randn(2, 6)
    one = head.loss(features, samples(40.0, 60.0))
    two = head.loss(features.repeat_interleave(2, 0), samples(40.0, 60.0))
    for name in one:
        torch.testing.assert_close(one[name], two[name])
    (first, _) = head.predict(features.repeat_interleave(2, 0), samples(40.0, 60.0))
    assert first.pred_ef == pytest.approx(head(features)[0].item(), rel=1e-6)
