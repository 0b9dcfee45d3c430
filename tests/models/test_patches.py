import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from echocardmae_mm.models import patches
from echocardmae_mm.models.patches import (
    PatchConvolution,
    embed_patches,
    patchify,
    take_patches,
    unpatchify,
)

SIZES = st.tuples(*[st.integers(1, 3)] * 3)


@settings(max_examples=25)
@given(grid=SIZES, patch_size=st.integers(1, 4), tubelet_size=st.integers(1, 3))
def test_patches_are_cut_in_the_documented_order(grid, patch_size, tubelet_size):
    t, h, w = grid
    clip = torch.randn(2, 3, t * tubelet_size, h * patch_size, w * patch_size)
    patches = patchify(clip, patch_size, tubelet_size)
    token = 0
    for i in range(t):
        for j in range(h):
            for k in range(w):
                cut = clip[
                    :,
                    :,
                    i * tubelet_size : (i + 1) * tubelet_size,
                    j * patch_size : (j + 1) * patch_size,
                    k * patch_size : (k + 1) * patch_size,
                ]
                assert torch.equal(patches[:, token], cut.permute(0, 2, 3, 4, 1).flatten(1))
                token += 1
    assert token == patches.shape[1]
    assert torch.equal(unpatchify(patches, patch_size, tubelet_size, clip.shape[-2:]), clip)


def test_embedding_patches_is_the_convolution():
    clip, convolution = torch.randn(2, 3, 4, 16, 24), nn.Conv3d(3, 5, (2, 8, 8), (2, 8, 8))
    expected = convolution(clip).flatten(2).transpose(1, 2)
    embedded = embed_patches(patchify(clip, 8, 2), convolution)
    torch.testing.assert_close(embedded, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('size', [(4, 16, 24), (5, 17, 30)])
def test_in_bfloat16_the_embedding_is_that_of_float32_rounded(size, monkeypatch):
    embedded_as = []
    monkeypatch.setattr(patches, 'HAS_AMX', True)
    monkeypatch.setattr(
        patches, 'embed_patches', lambda *args: embedded_as.append(args) or embed_patches(*args)
    )
    torch.manual_seed(0)
    clips, convolution = torch.randn(2, 3, *size), PatchConvolution(3, 5, (2, 8, 8), (2, 8, 8))
    expected = convolution(clips)
    assert torch.equal(expected, nn.Conv3d.forward(convolution, clips))
    assert not embedded_as
    with torch.autocast('cpu', torch.bfloat16):
        embedded = convolution(clips)
    assert embedded.dtype == torch.bfloat16
    torch.testing.assert_close(embedded.float(), expected, rtol=0.02, atol=0.02)
    embedded = convolution.bfloat16()(clips.bfloat16())
    torch.testing.assert_close(embedded.float(), expected, rtol=0.02, atol=0.02)
    assert len(embedded_as) == 2


def test_taken_patches_are_those_of_the_whole_clip():
    clips = torch.randn(2, 3, 4, 16, 24)
    places = torch.stack([torch.randperm(12)[:5], torch.randperm(12)[:5]])
    taken = take_patches(clips, places, 8, 2)
    for clip in range(2):
        assert torch.equal(taken[clip], patchify(clips, 8, 2)[clip, places[clip]])
