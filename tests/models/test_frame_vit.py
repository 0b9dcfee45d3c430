import pytest
import torch
from mmaction.models import VisionTransformer
from mmengine.runner import load_state_dict

from echocardmae_mm.models import FrameVisionTransformer

SIZE = dict(img_size=48, patch_size=16, embed_dims=24, depth=2, num_heads=3)


@pytest.fixture
def video_encoder() -> VisionTransformer:
    torch.manual_seed(0)
    encoder = VisionTransformer(num_frames=8, use_mean_pooling=False, return_feat_map=True, **SIZE)
    encoder.init_weights()
    return encoder


def test_is_the_video_encoder_on_a_clip_that_stands_still(video_encoder):
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    images = torch.randn(2, 3, 48, 48)
    (features,) = frame(images)

    still = VisionTransformer(num_frames=2, use_mean_pooling=False, return_feat_map=True, **SIZE)
    state = {k: v for k, v in video_encoder.state_dict().items() if k != 'pos_embed'}
    still.load_state_dict({**state, 'pos_embed': still.pos_embed})
    expected = still(images[:, :, None].repeat(1, 1, 2, 1, 1))[:, :, 0]
    assert features.shape == (2, 24, 3, 3)
    torch.testing.assert_close(features, expected)


def test_convolves_with_the_kernel_summed_over_time(video_encoder):
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    images = torch.randn(1, 3, 48, 48)
    seen = {}
    frame.patch_embed.register_forward_hook(lambda _, __, out: seen.update(tokens=out[0]))
    frame(images)
    projection = video_encoder.patch_embed.projection
    summed = torch.nn.functional.conv2d(
        images, projection.weight.sum(2), projection.bias, stride=16
    )
    torch.testing.assert_close(
        seen['tokens'], summed.flatten(2).transpose(1, 2), rtol=1e-4, atol=1e-5
    )


def test_takes_images_of_another_size(video_encoder):
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    assert frame(torch.randn(1, 3, 64, 96))[0].shape == (1, 24, 4, 6)
