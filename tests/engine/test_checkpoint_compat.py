"""A checkpoint that leaves something of the model as it was drawn is refused."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from echocardmae_mm.engine import checkpoint_compat, require_fit, require_same_classes
from echocardmae_mm.engine.checkpoint_compat import require_start
from echocardmae_mm.utils.errors import UserError


class Model(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.head = nn.Linear(width, 2)
        self.register_buffer('pos_embed', torch.zeros(width))


@pytest.fixture
def saved(tmp_path):
    def save(state):
        path = tmp_path / 'a.pth'
        torch.save({'state_dict': state}, path)
        return str(path)

    return save


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_a_fitting_checkpoint_passes_without_positions(saved, prefix):
    state = {prefix + name: value for name, value in Model().state_dict().items()}
    state[f'{prefix}pos_embed'] = torch.zeros(9)
    require_fit(Model(), saved({**state, 'more': torch.zeros(1)}))


def test_a_missing_tensor_is_named(saved):
    state = Model().state_dict()
    del state['head.bias']
    with pytest.raises(UserError, match=r'lacks 1 of 2 tensors of the model, such as head\.bias'):
        require_fit(Model(), saved(state))


def test_another_size_is_named(saved):
    with pytest.raises(UserError, match=r'weight has \(2, 5\), but the model has \(2, 4\)'):
        require_fit(Model(), saved(Model(5).state_dict()))


def test_a_starting_checkpoint_may_lack_tensors_which_are_logged(saved, monkeypatch):
    told = []
    monkeypatch.setattr(checkpoint_compat, 'print_log', lambda text, *_: told.append(text))
    state = Model().state_dict()
    del state['head.bias']
    require_start(Model(), saved(state))
    assert '1 of 2 tensors' in told[0]
    assert told[0].endswith('fresh: head.bias')


def test_a_starting_checkpoint_without_any_tensor_raises(saved):
    with pytest.raises(UserError, match='contains none of the 2 tensors of the model'):
        require_start(Model(), saved({'other.weight': torch.zeros(2, 4)}))
    with pytest.raises(UserError, match=r'weight has \(2, 5\), but the model has \(2, 4\)'):
        require_start(Model(), saved(Model(5).state_dict()))


def test_other_classes_are_refused(tmp_path):
    path = str(tmp_path / 'a.pth')
    torch.save({'state_dict': {}, 'meta': {'dataset_meta': {'classes': ('a', 'b')}}}, path)
    for classes in ({'classes': ['a', 'b']}, {}):
        require_same_classes(path, SimpleNamespace(metainfo=classes))
    with pytest.raises(UserError, match=r'the classes a, b, but the test set has b, a\nFor a tab'):
        require_same_classes(path, SimpleNamespace(metainfo={'classes': ['b', 'a']}))


def test_a_checkpoint_without_classes_passes(saved):
    require_same_classes(saved({}), SimpleNamespace(metainfo={'classes': ['a', 'b']}))
