"""The Rank-N-Contrast loss against a plain double loop, and by its properties."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.models import RankNContrastLoss
from echocardmae_mm.utils.errors import UserError


def double_loop(features: list[list[float]], labels: list[float], tau: float) -> float:
    """Eq. 1 and 2 of Zha et al., a pair at a time."""
    terms = []
    others = range(len(labels))
    for i in others:
        similarity = [math.exp(-math.dist(features[i], row) / tau) for row in features]
        for j in others:
            if j != i:
                far = [
                    similarity[k]
                    for k in others
                    if k != i and abs(labels[i] - labels[k]) >= abs(labels[i] - labels[j])
                ]
                terms.append(-math.log(similarity[j] / sum(far)))
    return sum(terms) / len(terms)


@settings(max_examples=40)
@given(
    # Whole numbers, many of them equal: ties are in each other's denominators.
    labels=st.lists(st.integers(0, 6), min_size=2, max_size=9),
    tau=st.floats(0.3, 4),
    seed=st.integers(0, 2**16),
)
def test_equals_a_double_loop(labels, tau, seed):
    features = torch.randn(len(labels), 5, generator=torch.Generator().manual_seed(seed))
    loss = RankNContrastLoss(tau, loss_weight=0.5)(features, torch.tensor(labels))
    expected = 0.5 * double_loop(features.tolist(), labels, tau)
    assert loss.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_order_of_the_clips_and_unit_of_the_labels_do_not_matter():
    features, labels = torch.randn(12, 4), torch.rand(12) * 80
    loss = RankNContrastLoss()
    order = torch.randperm(12)
    expected = loss(features, labels)
    torch.testing.assert_close(loss(features[order], labels[order]), expected)
    torch.testing.assert_close(loss(features, labels / 128), expected)


def test_features_in_the_order_of_the_labels_have_the_smaller_loss():
    labels = torch.arange(8.0)
    ordered = labels[:, None] * 3
    loss = RankNContrastLoss()
    assert loss(ordered, labels) < loss(ordered[torch.tensor([4, 1, 7, 0, 5, 2, 6, 3])], labels)


def test_a_single_clip_has_no_loss_and_no_gradient():
    features = torch.randn(1, 4, requires_grad=True)
    loss = RankNContrastLoss()(features, torch.tensor([55.0]))
    loss.backward()
    assert loss.item() == 0
    assert features.grad.tolist() == [[0, 0, 0, 0]]


def test_gradient_is_right_and_finite_for_equal_clips():
    features, labels = torch.randn(6, 3, requires_grad=True), torch.tensor([1.0, 2, 2, 5, 7, 9])
    loss = RankNContrastLoss()
    loss(features, labels).backward()
    step = torch.zeros_like(features)
    step[2, 1] = 1e-2
    with torch.no_grad():
        numeric = (loss(features + step, labels) - loss(features - step, labels)) / 2e-2
    assert features.grad[2, 1].item() == pytest.approx(numeric.item(), abs=1e-3)

    equal = torch.ones(4, 3, requires_grad=True)
    loss(equal, labels[:4]).backward()
    assert torch.isfinite(equal.grad).all()


def test_autocast_does_not_round_it():
    features, labels = torch.randn(8, 4), torch.rand(8)
    expected = RankNContrastLoss()(features, labels)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(RankNContrastLoss()(features, labels), expected)


def test_temperature_must_be_positive():
    with pytest.raises(UserError, match='temperature=0 must be positive'):
        RankNContrastLoss(temperature=0)
