"""Clips in, a label for each pixel of each frame out."""

import pytest
import torch
from mmengine.registry import MODELS
from mmengine.structures import PixelData

from echocardmae_mm.models import ClipSegmentor  # noqa: F401  (what is built below)


@pytest.fixture
def model():
    torch.manual_seed(0)
    size = dict(img_size=32, patch_size=8, num_frames=4, tubelet_size=2, num_heads=3)
    return MODELS.build(
        dict(
            type='echocardmae_mm.ClipSegmentor',
            data_preprocessor=dict(
                type='mmaction.ActionDataPreprocessor', mean=[30.0] * 3, std=[50.0] * 3,
                format_shape='NCTHW',
            ),
            backbone=dict(
                type='echocardmae_mm.FusedVisionTransformer', embed_dims=24, depth=1,
                use_mean_pooling=False, return_feat_map=True, **size,
            ),
            decode_head=dict(
                type='echocardmae_mm.MAESegHead', num_classes=3, in_channels=24, embed_dims=12,
                depth=1, **size,
            ),
        )
    )  # fmt: skip


def batch(labels=True):
    from mmseg.structures import SegDataSample

    samples = [SegDataSample(metainfo=dict(ori_shape=(48, 64))) for _ in range(2)]
    if labels:
        for sample in samples:
            sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (4, 32, 32)))
    inputs = [torch.randint(0, 255, (1, 3, 4, 32, 32), dtype=torch.uint8) for _ in samples]
    return {'inputs': inputs, 'data_samples': samples}


def test_the_loss_decreases_in_training(model):
    data = model.data_preprocessor(batch(), training=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        loss = model(**data, mode='loss')['decode.loss_dice']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_predicts_every_frame_at_the_size_of_the_recording(model):
    model.eval()
    with torch.no_grad():
        samples = model.test_step(batch(labels=False))
        data = model.data_preprocessor(batch(labels=False))
        logits = model(data['inputs'], mode='tensor')
    assert logits.shape == (2, 3, 4, 32, 32)
    for sample in samples:
        assert sample.pred_sem_seg.data.shape == (4, 48, 64)
        assert sample.pred_sem_seg.data.max() < 3


def test_at_its_own_size_the_prediction_is_the_largest_logit(model):
    model.eval()
    data = batch(labels=False)
    for sample in data['data_samples']:
        sample.set_metainfo(dict(ori_shape=(32, 32)))
    with torch.no_grad():
        prepared = model.data_preprocessor(data)
        expected = model(prepared['inputs'], mode='tensor').argmax(1)
        samples = model(**prepared, mode='predict')
    for sample, labels in zip(samples, expected):
        assert torch.equal(sample.pred_sem_seg.data, labels)
