"""Dice loss against MONAI's, and without what has no label."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import MODELS
from monai.losses import DiceLoss as MonaiDiceLoss

from echocardmae_mm.models import DiceLoss


def batch(seed, images=3, classes=3, size=9):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(images, classes, size, size, generator=generator)
    labels = torch.randint(0, classes, (images, size, size), generator=generator)
    return logits.requires_grad_(), labels


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.booleans())
def test_equals_monai(seed, include_background):
    logits, labels = batch(seed)
    ours = DiceLoss(include_background)(logits, labels)
    theirs = MonaiDiceLoss(include_background=include_background, softmax=True, to_onehot_y=True)(
        logits, labels[:, None]
    )
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_an_image_without_labels_changes_nothing():
    logits, labels = batch(1)
    expected = DiceLoss()(logits[:2], labels[:2])
    labels[2] = 255
    loss = DiceLoss()(logits, labels)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert (logits.grad[2] == 0).all()


def test_ignored_pixels_have_no_effect():
    logits, labels = batch(2)
    expected = DiceLoss()(logits[:, :, :6], labels[:, :6])
    labels[:, 6:] = 255
    torch.testing.assert_close(DiceLoss()(logits, labels), expected)


def test_unlabelled_batches_give_zero_loss():
    logits, labels = batch(3)
    loss = DiceLoss()(logits, torch.full_like(labels, 255))
    loss.backward()
    assert loss == 0
    assert (logits.grad == 0).all()


def test_works_in_an_mmsegmentation_head():
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    head = MODELS.build(
        dict(
            type='mmseg.FCNHead', in_channels=4, channels=4, num_convs=1, num_classes=3,
            norm_cfg=dict(type='BN'), align_corners=False,
            loss_decode=dict(type='echocardmae_mm.DiceLoss', loss_weight=2.0),
        )
    )  # fmt: skip
    _, labels = batch(4)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
    losses = head.loss([torch.randn(3, 4, 9, 9)], samples, {})
    assert 0 < losses['loss_dice'] <= 2
    losses['loss_dice'].backward()


def test_weight_scales_it():
    logits, labels = batch(5)
    torch.testing.assert_close(
        DiceLoss(loss_weight=3.0)(logits, labels), 3 * DiceLoss()(logits, labels)
    )
