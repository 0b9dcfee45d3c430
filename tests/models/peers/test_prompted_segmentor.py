"""Images or clips and clicks in, masks out."""

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from echocardmae_mm.utils.errors import UserError

SMALL = dict(
    backbone=dict(
        type='echocardmae_mm.SAMUSEncoder', img_size=64, stride=8, embed_dims=16, depth=2,
        num_heads=2, global_blocks=(1,), out_channels=16,
    ),
    decode_head=dict(
        type='echocardmae_mm.SAMMaskDecoder', embed_dims=16, num_heads=2, mlp_dims=32
    ),
    data_preprocessor=dict(type='BaseDataPreprocessor'),
)  # fmt: skip
MEMORY = dict(
    type='echocardmae_mm.SpaceTimeMemory', embed_dims=16, key_dims=8, value_dims=16, hidden_dims=8,
    fusion_dims=16,
)  # fmt: skip


def build(kind='image', **options):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = {**SMALL, 'type': 'echocardmae_mm.PromptedSegmentor', **options}
    if kind == 'clip':
        model.update(type='echocardmae_mm.MemorySegmentor', memory=MEMORY)
    return MODELS.build(model)


def batch(kind='image', clicks=((20, 30), (40, 50))):
    torch.manual_seed(0)
    shape = (2, 3, 64, 64) if kind == 'image' else (2, 1, 3, 4, 64, 64)
    frames = 1 if kind == 'image' else 4
    samples = []
    for _ in range(2):
        sample = SegDataSample(metainfo=dict(ori_shape=(48, 80), img_path='a.png'))
        if clicks:
            sample.set_metainfo(dict(clicks=clicks, click_labels=[1] * len(clicks)))
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 3, (frames, 64, 64)))
        samples.append(sample)
    return torch.randn(shape), samples


@pytest.mark.parametrize('kind', ['image', 'clip'])
@pytest.mark.parametrize('clicks', [True, False])
def test_several_structures_are_trained_and_predicted_at_the_size_of_the_recording(kind, clicks):
    model = build(kind, num_classes=3, clicks=clicks)
    inputs, samples = batch(kind)
    losses = model(inputs, samples, 'loss')
    assert losses.keys() == {'decode.loss_bce', 'decode.loss_dice'}
    sum(losses.values()).backward()
    # Several GPUs would wait for the gradient of each parameter.
    assert all(x.grad is not None for x in model.parameters() if x.requires_grad)
    model.train(False)
    with torch.no_grad():
        logits = model(inputs, samples)
        predicted = model(inputs, samples, 'predict')
    assert logits.shape == ((2, 3, 32, 32) if kind == 'image' else (2, 3, 4, 64, 64))
    assert not logits[:, 0].any()
    for sample in predicted:
        assert sample.pred_sem_seg.data.shape == (1 if kind == 'image' else 4, 48, 80)
        assert 0 <= sample.pred_sem_seg.data.min() <= sample.pred_sem_seg.data.max() <= 2


def test_a_click_changes_the_mask_of_its_structure_alone():
    model = build(num_classes=3)
    model.train(False)
    with torch.no_grad():
        before = model(*batch())
        after = model(*batch(clicks=((20, 30), (41, 50))))
    assert torch.equal(before[:, 1], after[:, 1])
    assert not torch.allclose(before[:, 2], after[:, 2])


@pytest.mark.parametrize('kind', ['image', 'clip'])
def test_impossible_clicks_are_refused_in_one_line(kind):
    model = build(kind, num_classes=3)
    for clicks, reason in (
        (((20, 30), (64, 3)), 'click at x=64, y=3 lies outside the image of 64 x 64 pixels'),
        (((20, -1), (3, 3)), 'click at x=20, y=-1 lies outside'),
        (((np.nan, 1), (3, 3)), 'click at x=nan, y=1 lies outside'),
        (((20, 30),), '1 clicks for 2 structures'),
        ((), 'a.png has no click; add ClickInMask'),
    ):
        with pytest.raises(UserError, match=reason) as error:
            model(*batch(kind, clicks))
        assert len(str(error.value).splitlines()) == 1
    with pytest.raises(UserError, match='needs a click in each structure of each image'):
        model(batch(kind)[0])


def test_the_hidden_state_is_updated_at_random_in_training_and_regularly_in_tests():
    model = build('clip')
    torch.manual_seed(0)
    updates = [model._updates_hidden(0) for _ in range(300)]
    assert 30 < sum(updates) < 90
    model.train(False)
    assert [model._updates_hidden(index) for index in range(6)] == [False] * 4 + [True, False]


def test_impossible_sizes_are_refused():
    with pytest.raises(UserError, match='img_size=56 and stride=8 give a grid of 7'):
        build(backbone=dict(SMALL['backbone'], img_size=56))
    with pytest.raises(UserError, match='set its stride to 8'):
        build('clip', backbone=dict(SMALL['backbone'], stride=4))
    with pytest.raises(UserError, match='embed_dims=20 must be a multiple of 8'):
        build(decode_head=dict(SMALL['decode_head'], embed_dims=20))
