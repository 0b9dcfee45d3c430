import pytest
import torch
from mmaction.models import VisionTransformer

from echocardmae_mm.models import FusedVisionTransformer
from echocardmae_mm.models.patches import PatchConvolution
from echocardmae_mm.utils.errors import UserError

SIZE = dict(
    img_size=32, patch_size=8, num_frames=4, tubelet_size=2, embed_dims=24, depth=3, num_heads=3
)


@pytest.mark.parametrize('kwargs', [{}, {'use_mean_pooling': False, 'return_feat_map': True}])
def test_both_classes_load_each_others_checkpoints(kwargs):
    torch.manual_seed(0)
    fused, host = FusedVisionTransformer(**SIZE, **kwargs), VisionTransformer(**SIZE, **kwargs)
    for parameter in fused.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    host.load_state_dict(fused.state_dict(), strict=True)
    clips = torch.randn(2, 3, 4, 32, 32)
    torch.testing.assert_close(fused(clips), host(clips), rtol=1e-4, atol=1e-5)
    assert type(fused.patch_embed.projection) is PatchConvolution
    fused.load_state_dict(host.state_dict(), strict=True)


@pytest.mark.parametrize(
    ('frozen', 'trained'),
    [(-1, {'patch_embed', 'blocks.0', 'blocks.1', 'blocks.2', 'fc_norm'}),
     (0, {'blocks.0', 'blocks.1', 'blocks.2', 'fc_norm'}),
     (2, {'blocks.2', 'fc_norm'}),
     (3, {'fc_norm'})],
)  # fmt: skip
def test_frozen_blocks_get_no_gradient_and_no_dropout(frozen, trained):
    model = FusedVisionTransformer(frozen_stages=frozen, drop_path_rate=0.5, **SIZE).train()
    model(torch.randn(2, 3, 4, 32, 32)).square().sum().backward()
    moved = {
        '.'.join(name.split('.')[: 2 if name.startswith('blocks') else 1])
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    assert moved == trained
    training = {f'blocks.{i}' for i in range(3) if model.blocks[i].training}
    assert training == {name for name in trained if name.startswith('blocks')}
    assert not model.eval().blocks[-1].training


def test_biases_are_frozen_on_request():
    model = FusedVisionTransformer(attn_bias=False, **SIZE)
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert frozen == {f'blocks.{i}.attn.{x}_bias' for i in range(3) for x in 'qv'}


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'patchsize': 8}, r'has no argument patchsize; it has attn_bias, frozen_stages'),
        ({'pretrained': 'x.pth'}, 'has no argument pretrained'),
        ({'frozen_stages': 4}, r'frozen_stages=4 must lie between -1 .* and 3 \(all blocks'),
        ({'frozen_stages': -2}, 'frozen_stages=-2'),
    ],
)
def test_impossible_arguments_are_named(kwargs, message):
    with pytest.raises(UserError, match=message):
        FusedVisionTransformer(**{**SIZE, **kwargs})
