import pytest
import timm
import torch

from echocardmae_mm.models import MaskedVisionTransformer, TimmVideoEncoder
from echocardmae_mm.models.weight_conversion import from_timm
from echocardmae_mm.utils.errors import UserError

SIZE = dict(img_size=32, patch_size=16, num_frames=4, tubelet_size=2)
TINY = dict(embed_dim=24, depth=2, num_heads=3)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    model = TimmVideoEncoder('vit_tiny_patch16_224', **SIZE, **TINY)
    model.init_weights()
    for block in model.blocks:
        torch.nn.init.normal_(block.attn.qkv.bias)
    return model


def test_a_still_video_is_embedded_as_its_image():
    torch.manual_seed(0)
    image_model = timm.create_model('vit_tiny_patch16_224', img_size=32, num_classes=0, **TINY)
    torch.manual_seed(0)
    encoder = TimmVideoEncoder('vit_tiny_patch16_224', **SIZE, **TINY)
    image = torch.randn(1, 3, 32, 32)
    video = image.unsqueeze(2).expand(-1, -1, 2, -1, -1)
    tokens = encoder.patch_embed(video).flatten(2).transpose(1, 2)
    torch.testing.assert_close(tokens, image_model.patch_embed(image), rtol=1e-4, atol=1e-5)


def test_it_sees_only_the_visible_tokens(encoder):
    clips, visible = torch.randn(2, 3, 4, 32, 32), torch.tensor([[0, 3, 6], [1, 2, 7]])
    latent = encoder(clips, visible)
    assert latent.shape == (2, 3, 24)
    changed = clips.clone()
    changed[0, :, :2, :16, 16:] += 1  # token 1, hidden in the first clip
    assert torch.equal(encoder(changed, visible), latent)
    changed[0, :, :2, :16, :16] += 1  # token 0, visible
    assert not torch.equal(encoder(changed, visible)[0], latent[0])


def test_converted_weights_give_the_same_latents(encoder):
    """The inflated embedding, the lost bias of the keys and the new names change nothing."""
    image = {name: value for name, value in encoder.state_dict().items() if 'patch' not in name}
    image['patch_embed.proj.weight'] = encoder.patch_embed.weight.sum(2)
    image['patch_embed.proj.bias'] = encoder.patch_embed.bias
    weights = from_timm(image | {'cls_token': torch.zeros(1, 1, 24)})
    ours = MaskedVisionTransformer(embed_dims=24, depth=2, num_heads=3, **SIZE)
    missing, unexpected = ours.load_state_dict(
        {name.removeprefix('backbone.'): value for name, value in weights.state.items()},
        strict=False,
    )
    assert missing == ['pos_embed']
    assert not unexpected
    assert set(weights.dropped) == {'cls_token', *(f'blocks.{i}.attn.k_bias' for i in (0, 1))}
    clips, visible = torch.randn(2, 3, 4, 32, 32), torch.tensor([[0, 3, 6], [1, 2, 7]])
    torch.testing.assert_close(ours(clips, visible), encoder(clips, visible), rtol=1e-4, atol=1e-5)


def test_other_architectures_are_refused():
    with pytest.raises(UserError, match='resnet18 is not a VisionTransformer'):
        TimmVideoEncoder('resnet18')


def test_clips_of_another_size_are_refused(encoder):
    with pytest.raises(UserError, match='have 4 tokens, but the model expects 8'):
        encoder(torch.randn(1, 3, 2, 32, 32))
