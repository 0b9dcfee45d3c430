"""The encoder on single frames: the video encoder on a clip that stands still."""

import copy

import pytest
import torch
from mmaction.models import VisionTransformer
from mmengine.runner import load_state_dict, save_checkpoint

from echocardmae_mm.models import FrameVisionTransformer, MaskedVisionTransformer
from echocardmae_mm.utils.errors import UserError

KERNEL = 'patch_embed.projection.weight'
SIZE = dict(img_size=48, patch_size=16, embed_dims=24, depth=2, num_heads=3)


@pytest.fixture
def video_encoder() -> MaskedVisionTransformer:
    torch.manual_seed(0)
    encoder = MaskedVisionTransformer(num_frames=8, **SIZE)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return encoder


@pytest.fixture
def checkpoint(video_encoder, tmp_path) -> str:
    state = {f'backbone.{name}': value for name, value in video_encoder.state_dict().items()}
    path = tmp_path / 'epoch_1.pth'
    save_checkpoint(dict(state_dict=state, meta={}), str(path))
    return str(path)


def started_from(checkpoint, **options):
    init_cfg = dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')
    frame = FrameVisionTransformer(init_cfg=init_cfg, **SIZE, **options)
    frame.init_weights()
    return frame


def test_every_tensor_of_the_pretrained_encoder_is_loaded(checkpoint, video_encoder):
    frame = started_from(checkpoint).state_dict()
    video = video_encoder.state_dict()
    assert frame.keys() == video.keys()
    for name, value in frame.items():
        expected = video[name]
        if name == 'pos_embed':
            expected = expected[:, :9]
        if name == KERNEL:
            expected = (expected[:, :, 0] + expected[:, :, 1])[:, :, None]
        assert torch.equal(value, expected), name


def test_equals_the_stock_encoder_on_a_still_clip(video_encoder):
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    images = torch.randn(2, 3, 48, 48)
    (features,) = frame(images)

    still = VisionTransformer(num_frames=2, use_mean_pooling=False, return_feat_map=True, **SIZE)
    state = {k: v for k, v in video_encoder.state_dict().items() if k != 'pos_embed'}
    still.load_state_dict({**state, 'pos_embed': still.pos_embed})
    expected = still(images[:, :, None].repeat(1, 1, 2, 1, 1))[:, :, 0]
    assert features.shape == (2, 24, 3, 3)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)


def test_adam_moves_the_patch_embedding_as_that_of_an_image_encoder(video_encoder):
    torch.manual_seed(0)
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    plain = copy.deepcopy(frame)
    convolution = torch.nn.Conv2d(3, 24, 16, 16)
    kernel = video_encoder.patch_embed.projection.weight.detach()
    convolution.weight.data = kernel[:, :, 0] + kernel[:, :, 1]
    convolution.bias.data = video_encoder.patch_embed.projection.bias.detach().clone()

    def forward_plain(images):
        tokens = convolution(images).flatten(2).transpose(1, 2) + plain.pos_embed
        for block in plain.blocks:
            tokens = block(tokens)
        return plain.norm(tokens)

    del plain.patch_embed
    settings = dict(lr=1e-3, weight_decay=0.1)
    adam = torch.optim.AdamW(frame.parameters(), **settings)
    plain_adam = torch.optim.AdamW([*convolution.parameters(), *plain.parameters()], **settings)
    for _ in range(3):
        images, target = torch.randn(2, 3, 48, 48), torch.randn(2, 9, 24)
        for optimizer, features in (
            (adam, frame(images)[0].flatten(2).transpose(1, 2)),
            (plain_adam, forward_plain(images)),
        ):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(features, target).backward()
            optimizer.step()
    trained = frame.state_dict()
    torch.testing.assert_close(trained[KERNEL].squeeze(2), convolution.weight.data)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(trained[name], value, msg=name)


def test_outputs_of_several_blocks(video_encoder):
    both = FrameVisionTransformer(out_indices=(0, 1), **SIZE)
    last = FrameVisionTransformer(**SIZE)
    for model in (both, last):
        load_state_dict(model, video_encoder.state_dict(), strict=True)
    images = torch.randn(1, 3, 48, 48)
    first, second = both(images)
    torch.testing.assert_close(second, last(images)[0])
    tokens = last.blocks[1](first.flatten(2).transpose(1, 2))
    torch.testing.assert_close(
        last.norm(tokens).transpose(1, 2).unflatten(2, (3, 3)), second, rtol=1e-4, atol=1e-5
    )
    with pytest.raises(UserError, match='must lie between 0 and 1'):
        FrameVisionTransformer(out_indices=(2,), **SIZE)


def test_takes_images_of_another_size(video_encoder):
    frame = FrameVisionTransformer(**SIZE)
    load_state_dict(frame, video_encoder.state_dict(), strict=True)
    assert frame(torch.randn(1, 3, 64, 96))[0].shape == (1, 24, 4, 6)


def test_a_fresh_patch_embedding_leaves_the_rest(checkpoint, video_encoder):
    torch.manual_seed(1)
    frame = started_from(checkpoint, fresh_patch_embed=True)
    video = video_encoder.state_dict()
    differs = [
        name
        for name, value in frame.state_dict().items()
        if name != 'pos_embed' and not torch.equal(value, video[name])
    ]
    assert differs == [KERNEL]


def test_a_trained_patch_embedding_is_loaded_even_if_it_started_fresh(checkpoint):
    trained = started_from(checkpoint, fresh_patch_embed=True)
    torch.nn.init.constant_(trained.patch_embed.projection.weight, 7.0)
    other = FrameVisionTransformer(fresh_patch_embed=True, **SIZE)
    load_state_dict(other, trained.state_dict(), strict=True)
    assert (other.patch_embed.projection.weight == 7).all()


def test_positions_that_are_trained_begin_as_sinusoids():
    learned = FrameVisionTransformer(use_learnable_pos_emb=True, **SIZE)
    learned.init_weights()
    torch.testing.assert_close(learned.pos_embed.data, FrameVisionTransformer(**SIZE).pos_embed)
