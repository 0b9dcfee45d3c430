"""The losses of SAMUS against its formulas."""

import pytest
import torch
import torch.nn.functional as F

from echocardmae_mm.models.peers.binary_overlap_loss import binary_overlap_losses


def test_one_structure_agrees_with_the_formula():
    torch.manual_seed(0)
    logits = torch.randn(3, 1, 1, 6, 5, requires_grad=True)
    labels = torch.randint(0, 2, (3, 1, 6, 5))
    losses = binary_overlap_losses(logits, labels, 255)
    truth, share = labels.float(), logits[:, 0].sigmoid()
    entropy = -(2 * truth * share.log() + (1 - truth) * (1 - share).log()).mean()
    dice = (2 * (truth * share).sum() + 1e-5) / ((share**2).sum() + truth.sum() + 1e-5)
    for got, expected in (
        (losses['loss_bce'], 0.2 * entropy),
        (losses['loss_dice'], 0.8 * (1 - dice)),
    ):
        assert got.item() == pytest.approx(expected.item(), rel=1e-5)
        gradients = (torch.autograd.grad(x, logits, retain_graph=True)[0] for x in (got, expected))
        torch.testing.assert_close(*gradients)


def test_structures_are_binary_samples_of_one_batch():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 1, 6, 5)
    labels = torch.randint(0, 4, (2, 1, 6, 5))
    together = binary_overlap_losses(logits, labels, 255)
    apart = torch.cat([(labels == structure).long() for structure in (1, 2, 3)])
    flat = logits.transpose(0, 1).flatten(0, 1)[:, None]
    expected = binary_overlap_losses(flat, apart, 255)
    torch.testing.assert_close(together, expected)


def test_pixels_and_frames_without_labels_do_not_count():
    torch.manual_seed(0)
    logits = torch.randn(1, 1, 3, 6, 5, requires_grad=True)
    labels = torch.randint(0, 2, (1, 3, 6, 5))
    labels[:, 1] = 255
    losses = binary_overlap_losses(logits, labels, 255)
    kept = binary_overlap_losses(logits[:, :, ::2], labels[:, ::2], 255)
    torch.testing.assert_close(losses, kept)
    (gradient,) = torch.autograd.grad(sum(losses.values()), logits)
    assert not gradient[:, :, 1].any()
    assert gradient[:, :, 2].any()
    empty = binary_overlap_losses(logits, torch.full_like(labels, 255), 255)
    assert F.mse_loss(torch.stack([*empty.values()]), torch.zeros(2)) == 0
