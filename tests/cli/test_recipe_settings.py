import pytest

from echocardmae_mm.cli.recipe_settings import refuse_discarded_settings
from echocardmae_mm.utils.errors import UserError

CALLED = """_base_ = 'runtime.py'

from echocardmae_mm.recipes import pretraining

globals().update(pretraining(embed_dims=768, num_heads=12))
"""


@pytest.fixture
def check(tmp_path):
    def check(text, name='mine.py'):
        path = tmp_path / name
        path.write_text(CALLED + text)
        refuse_discarded_settings(path)

    return check


@pytest.mark.parametrize(
    ('line', 'setting'),
    [
        ('model = dict(alignment_head=None)', 'model'),
        ('train_dataloader = dict(batch_size=8)', 'train_dataloader'),
        ('val_evaluator = test_evaluator = None', 'test_evaluator'),
    ],
)
def test_a_discarded_setting_is_named(check, line, setting):
    with pytest.raises(UserError, match=f'line 6: {setting} = ... discards what the recipe'):
        check(line)


@pytest.mark.parametrize(
    'line',
    [
        'train_cfg = dict(max_epochs=3)',
        'model["alignment_head"] = None',
        'train_dataloader = dict(train_dataloader, batch_size=8)',
        'work_dir = _base_.work_dir',
        'work_dir = {{$HOME:/data}}',
    ],
)
def test_other_changes_are_welcome(check, line):
    check(line)


def test_bases_are_checked(check, tmp_path):
    with pytest.raises(UserError):
        check('model = None', name='runtime.py')
    with pytest.raises(UserError, match=r'runtime\.py, line 6'):
        check('')
