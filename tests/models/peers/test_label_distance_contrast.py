"""EchoMEN's contrast against a plain loop over its formula."""

import numpy as np
import torch
from scipy.stats import rankdata

from echocardmae_mm.models import EFHead
from echocardmae_mm.models.peers import LabelDistanceContrastLoss

EFS = [20.0, 35.0, 35.0, 50.0, 55.0, 55.02, 60.0, 62.5, 70.0, 75.0]


def by_loop(loss, features, labels, efs):
    bins = [round(ef * 20) for ef in efs]
    rank = dict(zip(bins, rankdata(bins)))
    z = torch.nn.functional.normalize(loss.projector(features), dim=1).double()
    own = [round(float(label) * 20) for label in labels]
    total = []
    for i in range(len(z)):
        logits = {}
        for j in range(len(z)):
            margin = min(2.0, abs(rank[own[i]] - rank[own[j]]) * 2 / len(efs))
            logits[j] = 150 * (z[i] @ z[j] + (0.0 if own[i] == own[j] else margin))
        denominator = torch.stack([logits[j] for j in logits if j != i]).logsumexp(0)
        positives = [denominator - logits[j] for j in logits if j != i and own[j] == own[i]]
        if positives:
            total.append(sum(positives) / len(positives))
    return 0.75 * sum(total) / len(total)


def test_the_loss_is_that_of_the_formula():
    torch.manual_seed(0)
    loss = LabelDistanceContrastLoss(in_channels=6, hidden_channels=8, out_channels=4)
    loss.fit_targets(EFS)
    features = torch.randn(9, 6, requires_grad=True)
    labels = torch.tensor([20.0, 20.0, 55.0, 55.02, 60.0, 60.0, 75.0, 75.0, 35.0])
    learned = (features, *loss.projector.parameters())
    ours, expected = loss(features, labels), by_loop(loss, features, labels, EFS)
    torch.testing.assert_close(ours.item(), expected.item(), rtol=1e-5, atol=1e-4)
    for got, wanted in zip(
        torch.autograd.grad(ours, learned), torch.autograd.grad(expected, learned)
    ):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


def test_the_head_passes_on_the_training_set_and_both_losses_train():
    torch.manual_seed(0)
    head = EFHead(
        in_channels=6, target='zscore', loss='l2', mean=55.6, std=1.0,
        contrast=dict(type='echocardmae_mm.LabelDistanceContrastLoss', in_channels=6),
    )  # fmt: skip
    before = head.contrast.rank_of_bin.clone()
    head.fit_targets(EFS)
    assert not torch.equal(head.contrast.rank_of_bin, before)
    assert bool((head.contrast.rank_of_bin.diff() >= 0).all())
    np.testing.assert_allclose(head.contrast.rank_of_bin[[400, 1500]], [0.1, 1.0])


def test_without_positives_the_loss_is_zero_and_finite():
    loss = LabelDistanceContrastLoss(in_channels=6)
    features = torch.randn(3, 6, requires_grad=True)
    value = loss(features, torch.tensor([10.0, 20.0, 30.0]))
    value.backward()
    assert value.item() == 0
    assert torch.equal(features.grad, torch.zeros(3, 6))
