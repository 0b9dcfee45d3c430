import pytest
import torch
from mmaction.models.backbones.vit_mae import Attention, Block

from echocardmae_mm.models.fused_attention import FusedAttention, KeyMaskedBlock, fuse_attention
from echocardmae_mm.utils.errors import UserError


def attention(**kwargs):
    torch.manual_seed(0)
    layer = Attention(24, num_heads=3, **kwargs)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return layer


@pytest.mark.parametrize('kwargs', [{}, {'qkv_bias': False}, {'qk_scale': 0.5}])
def test_equals_mmactions_attention(kwargs):
    host, fused = attention(**kwargs), attention(**kwargs)
    fused.__class__ = FusedAttention
    x = torch.randn(2, 7, 24)
    torch.testing.assert_close(fused(x), host(x), rtol=1e-5, atol=1e-5)
    host(x).square().sum().backward()
    fused(x).square().sum().backward()
    for name, parameter in host.named_parameters():
        other = fused.get_parameter(name)
        torch.testing.assert_close(other.grad, parameter.grad, rtol=1e-4, atol=1e-4)


def test_a_masked_key_has_no_effect():
    block = KeyMaskedBlock(24, 3)
    fuse_attention([block], attn_bias=True)
    x, keep = torch.randn(2, 7, 24), torch.tensor([0, 2, 3, 6])
    key_mask = torch.zeros(2, 7, dtype=torch.bool)
    key_mask[:, keep] = True
    torch.testing.assert_close(block(x, key_mask)[:, keep], block(x[:, keep]))


def test_block_equals_mmactions():
    host, block = Block(24, 3), KeyMaskedBlock(24, 3)
    block.load_state_dict(host.state_dict())
    fuse_attention([block], attn_bias=True)
    x = torch.randn(2, 7, 24)
    torch.testing.assert_close(block(x), host(x))


def test_dropout_works_in_training_only():
    layer = attention(attn_drop_rate=0.5)
    layer.__class__ = FusedAttention
    x = torch.randn(1, 7, 24)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_biases_can_be_frozen_at_zero():
    block = Block(24, 3)
    fuse_attention([block], attn_bias=False)
    frozen = {name for name, value in block.named_parameters() if not value.requires_grad}
    assert frozen == {'attn.q_bias', 'attn.v_bias'}
    assert not block.attn.q_bias.any()
    assert not block.attn.v_bias.any()


def test_bfloat16_on_a_cpu_is_equal_up_to_rounding():
    layer, x = attention(), torch.randn(2, 7, 24)
    layer.__class__ = FusedAttention
    key_mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    exact = layer(x, key_mask)
    with torch.autocast('cpu', torch.bfloat16):
        low = layer(x, key_mask)
    assert low.dtype is torch.bfloat16
    assert (low.float() - exact).norm() < 0.02 * exact.norm()
    with torch.autocast('cpu', torch.bfloat16):
        alone = layer(x[1:, :4])
    torch.testing.assert_close(low[1, :4], alone[0], rtol=0.05, atol=0.05)


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(UserError, match='embed_dims=25 is not divisible by num_heads=3'):
        fuse_attention([Block(25, 3)], attn_bias=True)
