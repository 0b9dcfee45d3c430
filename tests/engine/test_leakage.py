"""The recordings that a chain of checkpoints has seen are not tested on."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import PretrainedInit
from mmengine.runner import save_checkpoint

from echocardmae_mm.engine import ProvenanceHook, check_leakage
from echocardmae_mm.engine.leakage import find_leakage
from echocardmae_mm.engine.provenance import read_provenance, starting_points
from echocardmae_mm.utils.errors import UserError


class Recordings:
    """Recordings whose content is a letter, independent of the file name."""

    def __init__(self, letters, folder='videos'):
        self.letters, self.folder = letters, folder

    def __len__(self):
        return len(self.letters)

    def get_data_info(self, index):
        return {'filename': f'{self.folder}/{index}.avi'}

    def content_hashes(self):
        return [f'hash of {letter}' for letter in self.letters]


@pytest.fixture
def trained(tmp_path):
    """``trained(name, letters, **cfg)`` writes the checkpoint of a run with this config."""

    def train(name, letters, **cfg):
        dataset = Recordings(letters)
        runner = SimpleNamespace(
            train_dataloader=SimpleNamespace(dataset=dataset), seed=1, cfg=Config(cfg)
        )
        hook = ProvenanceHook()
        hook.before_train(runner)
        checkpoint = {'state_dict': {'x': torch.zeros(1)}, 'meta': {}}
        hook.before_save_checkpoint(runner, checkpoint)
        save_checkpoint(checkpoint, str(tmp_path / name))
        return str(tmp_path / name)

    return train


def pretrained(checkpoint):
    return dict(backbone=dict(init_cfg=[dict(type='Pretrained', checkpoint=checkpoint)]))


def test_fine_tuning_inherits_the_videos_of_pretraining(trained):
    first = trained('pretrained.pth', 'abc')
    second = trained('fine.pth', 'cd', model=pretrained(first))
    origin = read_provenance(second)
    assert origin['videos'] == [f'hash of {letter}' for letter in 'abcd']
    assert origin['started_from'] == [{'checkpoint': first, 'known': True}]


def test_a_resumed_run_does_not_start_from_itself(trained):
    first = trained('pretrained.pth', 'ab')
    second = trained('fine.pth', 'c', load_from=first)
    again = trained('fine2.pth', 'c', load_from=second, resume=True)
    origin = read_provenance(again)
    assert set(origin['videos']) == {f'hash of {letter}' for letter in 'abc'}
    assert origin['started_from'] == [{'checkpoint': first, 'known': True}]


def test_leakage_is_found_under_other_names(trained):
    checkpoint = trained('fine.pth', 'abcd')
    tests = SimpleNamespace(datasets=[Recordings('xb', 'copy'), Recordings('d', 'other')])
    leakage = find_leakage(checkpoint, tests)
    assert leakage.recordings == ['copy/1.avi', 'other/0.avi']
    assert (leakage.tested, leakage.unknown) == (3, [])
    with pytest.raises(
        UserError, match=r'was trained on 2 of the 3 .* such as copy/1\.avi'
    ) as error:
        check_leakage(checkpoint, tests, allowed=False)
    assert '--allow-leakage' in str(error.value)
    assert check_leakage(checkpoint, tests, allowed=True) == leakage


def test_no_leakage_is_no_error(trained):
    assert check_leakage(trained('a.pth', 'ab'), Recordings('cd'), False).recordings == []


def test_checkpoints_without_provenance_are_named(trained, tmp_path):
    foreign = str(tmp_path / 'foreign.pth')
    torch.save({'x': torch.zeros(1)}, foreign)
    assert find_leakage(foreign, Recordings('a')).unknown == [foreign]
    checkpoint = trained('fine.pth', 'ab', model=pretrained(foreign))
    leakage = check_leakage(checkpoint, Recordings('c'), allowed=False)
    assert leakage.unknown == [foreign]


def test_data_without_hashes_cannot_be_checked(trained):
    assert check_leakage(trained('a.pth', 'ab'), [1, 2], allowed=False) is None


def test_starting_points_of_a_config():
    cfg = Config(dict(load_from='a.pth', model={**pretrained('b.pth'), 'head': dict(x=None)}))
    cfg.model.neck = dict(init_cfg=dict(type=PretrainedInit, checkpoint='c.pth'))
    assert starting_points(cfg) == ['a.pth', 'b.pth', 'c.pth']
    assert starting_points(Config(dict(load_from=None, model=dict(type='x')))) == []
