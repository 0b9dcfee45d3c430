"""The log lists the tensors that an encoder loads from a checkpoint."""

import pytest
import torch
from mmengine.model import PretrainedInit
from mmengine.runner import save_checkpoint

from echocardmae_mm.models import (
    FusedVisionTransformer,
    MaskedVisionTransformer,
    checkpoint_report,
)
from echocardmae_mm.models.checkpoint_report import pretrained_cfg
from echocardmae_mm.utils.errors import UserError

SIZE = dict(
    img_size=32, patch_size=8, num_frames=4, tubelet_size=2, embed_dims=24, depth=2, num_heads=3
)


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    encoder = MaskedVisionTransformer(**SIZE)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter)
    state = {f'backbone.{name}': value for name, value in encoder.state_dict().items()}
    state['neck.mask_token'] = torch.zeros(1)
    path = tmp_path / 'epoch_1.pth'
    save_checkpoint(dict(state_dict=state, meta={}), str(path))
    return path


@pytest.fixture
def log(monkeypatch):
    messages: list[str] = []
    monkeypatch.setattr(checkpoint_report, 'print_log', lambda message, _: messages.append(message))
    return messages


def started_from(path, prefix='backbone.', **changes):
    init_cfg = dict(type='Pretrained', checkpoint=str(path), prefix=prefix)
    model = FusedVisionTransformer(init_cfg=init_cfg, **{**SIZE, **changes})
    model.init_weights()
    return model


def test_only_fc_norm_is_fresh_and_the_log_says_so(checkpoint, log):
    model = started_from(checkpoint)
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    for name, value in model.state_dict().items():
        if not name.startswith('fc_norm'):
            assert torch.equal(value, saved[f'backbone.{name}']), name
    assert model.fc_norm.weight.unique().tolist() == [1.0]
    assert log == [
        f'encoder: 28 of 30 tensors from {checkpoint}; fresh: fc_norm.bias, fc_norm.weight; '
        'unused: norm.bias, norm.weight; pos_embed is computed'
    ]


def test_clips_of_another_length_get_their_own_positions(checkpoint):
    model = started_from(checkpoint, num_frames=8)
    assert model(torch.randn(1, 3, 8, 32, 32)).shape == (1, 24)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'patch_size': 16},
            r'patches of 8 pixels and 2 frames, 24 wide, but the model has patches of 16',
        ),
        ({'tubelet_size': 4}, 'the model has patches of 8 pixels and 4 frames'),
        ({'embed_dims': 48}, '24 wide, but the model has .* 48 wide'),
        (
            {'mlp_ratio': 2.0},
            r'blocks\.0\.mlp\.layers\.0\.0\.bias has \(96,\), but the model has \(48,\)',
        ),
        ({'depth': 1}, '13 tensors are only in the checkpoint'),
        ({'depth': 3}, 'only in the model'),
        ({'prefix': 'encoder.'}, "no tensor name starts with 'encoder.'; found backbone"),
    ],
)
def test_another_encoder_is_refused(checkpoint, changes, message):
    with pytest.raises(UserError, match=message) as error:
        started_from(checkpoint, **changes)
    assert str(checkpoint) in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_a_missing_checkpoint_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r'none\.pth: no such checkpoint') as error:
        started_from(tmp_path / 'none.pth')
    assert 'model.backbone.init_cfg=None' in str(error.value)


@pytest.mark.parametrize('kind', ['Pretrained', PretrainedInit])
def test_the_entry_is_found_among_others(kind):
    entry = dict(type=kind, checkpoint='a.pth')
    other = dict(type='Constant', layer='LayerNorm', val=1)
    assert pretrained_cfg(entry) is entry
    assert pretrained_cfg([other, entry]) is entry
    assert pretrained_cfg([other]) is pretrained_cfg(None) is None
