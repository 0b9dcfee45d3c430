"""Parts of a config and their types."""

import pytest
from mmaction.models import Recognizer3D
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.config import dicts_of, type_name, walk_config


def test_walks_outer_parts_first():
    config = Config(dict(a=dict(b=[dict(c=1), 2])))
    keys = [key for key, _ in walk_config(config)]
    assert keys == ['', 'a', 'a.b', 'a.b.0', 'a.b.0.c', 'a.b.1']
    assert [key for key, _ in dicts_of(config)] == ['', 'a', 'a.b.0']


@pytest.mark.parametrize(
    ('kind', 'name'),
    [
        ('OptimWrapper', 'OptimWrapper'),
        ('mmengine.OptimWrapper', 'OptimWrapper'),
        ('mmengine.optim.OptimWrapper', 'OptimWrapper'),
        (OptimWrapper, 'OptimWrapper'),
        ('mmaction.Recognizer3D', 'mmaction.Recognizer3D'),
        (Recognizer3D, 'mmaction.Recognizer3D'),
        ('echocardmae_mm.models.EFHead', 'echocardmae_mm.EFHead'),
        (EFHead, 'echocardmae_mm.EFHead'),
        (None, ''),
        (5, ''),
    ],
)
def test_a_name_a_path_and_a_class_name_the_same_type(kind, name):
    assert type_name(dict(type=kind)) == name
