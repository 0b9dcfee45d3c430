import pytest
import torch
from mmaction.models import VisionTransformer
from mmengine.runner import save_checkpoint
from torch import nn

from echocardmae_mm.models import MaskedVisionTransformer
from echocardmae_mm.utils.errors import UserError

SIZE = dict(
    img_size=32, patch_size=8, num_frames=4, tubelet_size=2, embed_dims=24, depth=2, num_heads=3
)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    model = MaskedVisionTransformer(**SIZE)
    model.init_weights()
    for block in model.blocks:
        torch.nn.init.normal_(block.attn.q_bias)
        torch.nn.init.normal_(block.attn.v_bias)
    return model


def test_without_mask_it_equals_mmactions_transformer(encoder):
    host = VisionTransformer(use_mean_pooling=False, return_feat_map=True, **SIZE)
    host.load_state_dict(encoder.state_dict(), strict=True)
    clips = torch.randn(2, 3, 4, 32, 32)
    expected = host(clips).flatten(2).transpose(1, 2)
    torch.testing.assert_close(encoder(clips), expected, rtol=1e-5, atol=1e-5)


def test_weights_start_as_in_the_released_code(encoder):
    weights = torch.cat(
        [part.weight.flatten() for part in encoder.blocks.modules() if isinstance(part, nn.Linear)]
    )
    assert weights.std().item() == pytest.approx(0.02, rel=0.03)
    assert not any(block.attn.proj.bias.any() for block in encoder.blocks)


def test_it_sees_only_the_visible_tokens(encoder):
    clips = torch.randn(2, 3, 4, 32, 32)
    visible = torch.stack([torch.randperm(32)[:9], torch.randperm(32)[:9]])
    tokens = encoder.patch_embed(clips)[0] + encoder.pos_embed
    tokens = torch.stack([tokens[i, visible[i]] for i in range(2)])
    for block in encoder.blocks:
        tokens = block(tokens)
    expected = encoder.norm(tokens)
    torch.testing.assert_close(encoder(clips, visible), expected, rtol=1e-5, atol=1e-5)

    clips.requires_grad_()
    encoder(clips, visible).sum().backward()
    touched = clips.grad.abs().sum((1, 2)).unfold(1, 8, 8).unfold(2, 8, 8).sum((-1, -2)) > 0
    for i in range(2):
        assert set(touched[i].flatten().nonzero().flatten().tolist()) == {
            int(token) % 16 for token in visible[i]
        }


def test_a_checkpoint_loads_into_the_stock_class_but_for_fc_norm(encoder, tmp_path):
    path = tmp_path / 'epoch_1.pth'
    state = {f'backbone.{name}': value for name, value in encoder.state_dict().items()}
    state['neck.mask_token'] = torch.zeros(1)
    save_checkpoint(dict(state_dict=state, meta={}), str(path))
    host = VisionTransformer(
        init_cfg=dict(type='Pretrained', checkpoint=str(path), prefix='backbone.'), **SIZE
    )
    fresh = {name: torch.full_like(value, 7.0) for name, value in host.state_dict().items()}
    host.load_state_dict(fresh)
    host.init_weights()
    untouched = {name for name, value in host.state_dict().items() if (value == 7).all()}
    assert untouched == {'fc_norm.weight', 'fc_norm.bias'}
    for name in host.state_dict().keys() - untouched:
        assert torch.equal(host.state_dict()[name], encoder.state_dict()[name])


def test_gradients_of_norms_survive_bfloat16(encoder):
    """Norms on bfloat16 rows lose most of their gradient on a CPU; the residual stays float32."""
    clips = torch.randn(64, 3, 4, 32, 32)
    weight = torch.randn(64, 32, 24)

    def gradients(dtype):
        encoder.zero_grad()
        with torch.autocast('cpu', torch.bfloat16, enabled=dtype is torch.bfloat16):
            latent = encoder(clips)
        (latent * weight).mean().backward()
        return {name: value.grad for name, value in encoder.named_parameters() if 'norm' in name}

    expected, actual = gradients(torch.float32), gradients(torch.bfloat16)
    for name, value in expected.items():
        assert (actual[name] - value).norm() < 0.05 * value.norm(), name


def test_position_and_path_dropout_match_mmaction():
    model = MaskedVisionTransformer(drop_rate=0.5, drop_path_rate=0.5, **SIZE)
    clips = torch.randn(2, 3, 4, 32, 32)
    assert not torch.equal(model(clips), model(clips))
    model.eval()
    assert torch.equal(model(clips), model(clips))


def test_clips_of_another_size_are_refused(encoder):
    with pytest.raises(UserError, match=r'\(4, 40, 40\).*50 tokens.*expects 32'):
        encoder(torch.randn(1, 3, 4, 40, 40))
