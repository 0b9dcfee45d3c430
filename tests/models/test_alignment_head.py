import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.models import AlignmentHead
from echocardmae_mm.utils.errors import UserError


def eq_2(first, second, tau, include_positive):
    """Eq. 2 of the paper, word by word, on L2-normalised features; mean over the batch."""
    first = [[x / math.hypot(*row) for x in row] for row in first.tolist()]
    second = [[x / math.hypot(*row) for x in row] for row in second.tolist()]
    total = 0.0
    for i, anchor in enumerate(first):
        similarity = [math.exp(sum(a * b for a, b in zip(anchor, row)) / tau) for row in second]
        others = [s for j, s in enumerate(similarity) if include_positive or j != i]
        total -= math.log(similarity[i] / sum(others))
    return total / len(first)


@settings(max_examples=40)
@given(
    batch=st.integers(2, 6),
    width=st.integers(1, 8),
    tau=st.floats(0.05, 2),
    include_positive=st.booleans(),
    symmetric=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_equals_the_equation(batch, width, tau, include_positive, symmetric, seed):
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(batch, width, generator=generator)
    second = torch.randn(batch, width, generator=generator)
    expected = eq_2(first, second, tau, include_positive)
    if symmetric:
        expected = (expected + eq_2(second, first, tau, include_positive)) / 2
    head = AlignmentHead(tau, 0.2, include_positive=include_positive, symmetric=symmetric)
    assert float(head(first, second)) == pytest.approx(0.2 * expected, rel=1e-4, abs=1e-5)


def test_normalisation_can_be_switched_off_as_eq_2_is_printed():
    first, second = torch.randn(3, 4).double(), torch.randn(3, 4).double()
    similarity = (first @ second.T / 0.5).exp()
    total = similarity.sum(1) - similarity.diag()
    expected = -(similarity.diag() / total).log().mean()
    head = AlignmentHead(temperature=0.5, loss_weight=1.0, normalize=False)
    assert float(head(first, second)) == pytest.approx(float(expected), rel=1e-5)


def test_release_settings_are_a_cross_entropy():
    first, second = torch.randn(4, 8), torch.randn(4, 8)
    logits = torch.cosine_similarity(first[:, None], second[None], dim=-1) / 0.1
    labels = torch.arange(4)
    entropy = torch.nn.functional.cross_entropy
    expected = (entropy(logits, labels) + entropy(logits.T, labels)) / 2
    head = AlignmentHead(loss_weight=1.0, include_positive=True, symmetric=True)
    torch.testing.assert_close(head(first, second), expected)


def test_gradients_are_finite_and_pull_pairs_together():
    first, second = torch.randn(4, 8, requires_grad=True), torch.randn(4, 8)
    head = AlignmentHead()
    loss = head(first, second)
    loss.backward()
    assert torch.isfinite(first.grad).all()
    assert head(first.detach() - 0.1 * first.grad, second) < loss


def test_it_computes_in_float32_under_autocast():
    first, second = torch.randn(4, 64), torch.randn(4, 64)
    expected = AlignmentHead()(first, second)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(AlignmentHead()(first, second), expected)


@pytest.mark.parametrize('include_positive', [False, True])
def test_one_video_is_refused(include_positive):
    with pytest.raises(UserError, match='batch_size=2'):
        AlignmentHead(include_positive=include_positive)(torch.randn(1, 8), torch.randn(1, 8))


def test_it_has_no_parameters():
    assert not AlignmentHead().state_dict()
