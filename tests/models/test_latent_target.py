from pathlib import Path

import pytest
import torch
from mmaction.models import VisionTransformer
from torch.nn.functional import layer_norm

from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@pytest.fixture(scope='module')
def checkpoint(build_mae, tmp_path_factory) -> Path:
    """A pretrained encoder that differs from a new one."""
    model = build_mae()
    for parameter in model.backbone.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp('teacher') / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def teacher(checkpoint: Path) -> dict:
    init_cfg = dict(type='Pretrained', checkpoint=str(checkpoint), prefix='backbone.')
    return dict(type='echocardmae_mm.LatentTarget', init_cfg=init_cfg)


def test_the_loss_is_the_distance_from_the_latents_of_the_teacher(build_mae, batch_of, checkpoint):
    model = build_mae(latent_target=teacher(checkpoint))
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    loss = model.loss(inputs)['loss_rec']

    stock = VisionTransformer(
        img_size=32,
        patch_size=8,
        num_frames=4,
        embed_dims=24,
        depth=2,
        num_heads=3,
        use_mean_pooling=False,
        return_feat_map=True,
    )
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    state = {
        name.removeprefix('backbone.'): value
        for name, value in state.items()
        if name.startswith('backbone.')
    }
    stock.load_state_dict(state | {'pos_embed': stock.pos_embed})
    mean, std = (
        getattr(model.data_preprocessor, name).view(3, 1, 1, 1) for name in ('mean', 'std')
    )
    with torch.no_grad():
        latent = stock((inputs['target'] - mean) / std).flatten(2).transpose(1, 2)  # (2B, N, C)
    tokens = inputs['tokens']
    predicted = model.decode(model.encode(inputs['imgs'], tokens.visible), tokens)
    errors = [
        (predicted[row, column] - layer_norm(latent[row, token], (24,))).square().mean()
        for row, tokens_of in enumerate(tokens.masked.tolist())
        for column, token in enumerate(tokens_of)
    ]
    assert torch.allclose(loss, torch.stack(errors).mean(), rtol=1e-5)


def test_the_teacher_is_frozen(build_mae, batch_of, checkpoint):
    model = build_mae(latent_target=teacher(checkpoint), align={})
    model.train()
    assert not model.latent_target.backbone.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    inputs = model.data_preprocessor(batch_of([24, 24]), training=True)['inputs']
    losses = []
    for _ in range(20):
        total, _ = model.parse_losses(model.loss(inputs))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    assert losses[-1] < losses[0]
    moved = {n for n, value in model.state_dict().items() if not value.equal(before[n])}
    assert any(name.startswith('backbone.') for name in moved)
    assert not any(name.startswith('latent_target.') for name in moved)


def test_a_teacher_without_weights_is_refused(mae_config):
    config = mae_config(latent_target=dict(type='echocardmae_mm.LatentTarget', init_cfg={}))
    with pytest.raises(UserError, match='needs a pretrained teacher'):
        MODELS.build(config)


def test_a_teacher_of_another_size_is_refused(build_mae, checkpoint):
    with pytest.raises(UserError, match='only in the checkpoint'):
        build_mae(latent_target=teacher(checkpoint), encoder=dict(depth=1))


def test_frames_are_not_reconstructed(build_mae, batch_of, checkpoint):
    model = build_mae(latent_target=teacher(checkpoint))
    with pytest.raises(UserError, match='reconstructs no frames'):
        model.predict(**model.data_preprocessor(batch_of([24])))
