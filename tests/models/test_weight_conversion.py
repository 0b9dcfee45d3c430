import numpy as np
import pytest
import torch
from torch.nn import functional as F

from echocardmae_mm.datasets.recordings.lossless_video import write_lossless_avi
from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.models.patches import patchify
from echocardmae_mm.models.weight_conversion import (
    PATCH_KERNEL,
    bgr_to_rgb,
    from_echocardmae,
    from_timm,
    from_videomae,
    rename,
)
from echocardmae_mm.utils.errors import UserError


@pytest.mark.parametrize('container', ['', 'module.'])
def test_names_of_a_pretraining_model(container):
    pairs = {
        'encoder.patch_embed.proj.bias': 'backbone.patch_embed.projection.bias',
        'encoder.blocks.10.mlp.fc1.weight': 'backbone.blocks.10.mlp.layers.0.0.weight',
        'encoder.blocks.10.attn.proj.weight': 'backbone.blocks.10.attn.proj.weight',
        'encoder.norm.weight': 'backbone.norm.weight',
        'encoder_to_decoder.weight': 'neck.encoder_to_decoder.weight',
        'mask_token': 'neck.mask_token',
        'decoder.blocks.0.mlp.fc2.bias': 'neck.blocks.0.mlp.layers.1.bias',
        'decoder.head.bias': 'neck.head.bias',
    }
    state = {container + old: torch.full((1,), float(i)) for i, old in enumerate(pairs)}
    weights = rename(state)
    assert not weights.dropped
    assert list(weights.state) == list(pairs.values())
    assert [float(value) for value in weights.state.values()] == list(range(len(pairs)))


def test_a_fine_tuned_encoder_loses_its_head():
    names = ['patch_embed.proj.bias', 'blocks.0.attn.q_bias', 'fc_norm.weight', 'head.weight']
    weights = from_videomae({name: torch.zeros(1) for name in names})
    assert set(weights.dropped) == {'fc_norm.weight', 'head.weight'}
    assert set(weights.state) == {
        'backbone.patch_embed.projection.bias',
        'backbone.blocks.0.attn.q_bias',
    }


def test_the_patch_embedding_is_resized_and_the_decoders_head_dropped():
    kernel = torch.randn(6, 3, 2, 16, 16)
    state = {
        'encoder.patch_embed.proj.weight': kernel,
        'decoder.head.weight': torch.zeros(1536, 4),
        'decoder.head.bias': torch.zeros(1536),
    }
    weights = from_videomae(state, patch_size=8)
    # Halving by linear interpolation with aligned borders is the mean of 2 x 2.
    expected = F.avg_pool2d(kernel.flatten(0, 2), 2).view(6, 3, 2, 8, 8)
    torch.testing.assert_close(weights.state[PATCH_KERNEL], expected)
    assert weights.changes == {PATCH_KERNEL: 'resized from patch 16 to 8'}
    assert set(weights.dropped) == {'decoder.head.weight', 'decoder.head.bias'}
    same = from_videomae(state, patch_size=16)
    assert torch.equal(same.state[PATCH_KERNEL], kernel)
    assert not same.dropped


@pytest.mark.parametrize('channel', range(3))
def test_weights_of_kinetics_see_the_channels_they_were_trained_on(channel, tmp_path):
    colour = np.zeros((4, 16, 16, 3), np.uint8)
    colour[..., channel] = 200
    write_lossless_avi(tmp_path / 'colour.avi', colour, fps=50)
    recording = open_recording(tmp_path / 'colour.avi')
    clip = torch.from_numpy(recording.frames([0, 1]).astype(np.float32))
    # Kernel k responds to channel k of RGB, the order of Kinetics' frames in VideoMAE.
    kernel = torch.eye(3).view(3, 3, 1, 1, 1).expand(3, 3, 2, 16, 16)
    weights = from_videomae({'encoder.patch_embed.proj.weight': kernel})
    response = F.conv3d(clip.permute(3, 0, 1, 2)[None], weights.state[PATCH_KERNEL]).flatten()
    assert int(response.argmax()) == channel
    assert response[channel] > 10 * response.sum().sub(response[channel])


def test_biases_that_were_never_applied_become_zero():
    names = ['blocks.0.attn.q_bias', 'blocks.0.attn.v_bias', 'blocks.0.attn.proj.bias']
    weights = from_echocardmae({f'encoder.{name}': torch.ones(4) for name in names})
    assert [bool(value.any()) for value in weights.state.values()] == [False, False, True]


def test_flipped_weights_see_and_predict_rgb():
    torch.manual_seed(0)
    state = {
        'encoder.patch_embed.proj.weight': torch.randn(6, 3, 2, 8, 8),
        'decoder.head.weight': torch.randn(2 * 8 * 8 * 3, 4),
        'decoder.head.bias': torch.randn(2 * 8 * 8 * 3),
    }
    bgr = rename(state).state
    rgb = bgr_to_rgb(rename(state)).state
    clip = torch.randn(1, 3, 2, 8, 8)
    torch.testing.assert_close(
        F.conv3d(clip.flip(1), bgr[PATCH_KERNEL]), F.conv3d(clip, rgb[PATCH_KERNEL])
    )
    token = torch.randn(1, 1, 4)
    # A clip whose BGR patches the old head predicts has the new head's patches in RGB.
    predicted = [
        F.linear(token, weights['neck.head.weight'], weights['neck.head.bias']).view(2, 8, 8, 3)
        for weights in (bgr, rgb)
    ]
    clip_bgr = predicted[0].permute(3, 0, 1, 2)[None]
    assert torch.equal(patchify(clip_bgr.flip(1), 8, 2).view(2, 8, 8, 3), predicted[1])


def test_a_transformer_with_other_parts_is_refused():
    with pytest.raises(UserError, match=r"'norm_pre.weight' has no counterpart"):
        from_timm(
            {'patch_embed.proj.weight': torch.zeros(4, 3, 8, 8), 'norm_pre.weight': torch.zeros(4)}
        )


@pytest.mark.parametrize(
    ('convert', 'shape', 'expected'),
    [
        (from_videomae, (6, 3, 16, 16), 'convert timm'),
        (from_timm, (6, 3, 2, 16, 16), 'convert videomae'),
    ],
)
def test_the_other_converter_is_named(convert, shape, expected):
    with pytest.raises(UserError, match=expected):
        convert({'patch_embed.proj.weight': torch.zeros(shape)})


@pytest.mark.parametrize('convert', [from_videomae, from_timm])
def test_tubelets_of_zero_frames_raise(convert):
    with pytest.raises(UserError, match='at least 1'):
        convert({'patch_embed.proj.weight': torch.zeros(6, 3, 16, 16)}, 0)
