import pytest
from mmengine.registry import DefaultScope

import echocardmae_mm  # noqa: F401
from echocardmae_mm.compat.missing_drn import DRN, MISSING_DRN
from echocardmae_mm.utils.errors import UserError

lacking = pytest.mark.skipif(not MISSING_DRN.active, reason='this mmaction2 has its DRN')


@lacking
def test_mmaction_cannot_be_imported_without(fresh_python):
    run = fresh_python('import mmaction.models')
    assert run.returncode == 1
    assert "No module named 'mmaction.models.localizers.drn'" in run.stderr


@lacking
def test_says_what_is_missing_when_used():
    from mmaction.models import localizers
    from mmaction.registry import MODELS

    assert localizers.DRN is DRN
    assert localizers.BMN.__module__ == 'mmaction.models.localizers.bmn'
    with pytest.raises(UserError, match='lacks the localizer'):
        DRN(vocab_size=3)
    with (
        DefaultScope.overwrite_default_scope('mmaction'),
        pytest.raises(UserError, match='issues/2714'),
    ):
        MODELS.build(dict(type='DRN'))


def test_a_whole_mmaction_is_left_alone(fresh_python, tmp_path):
    whole = tmp_path / 'mmaction' / 'models' / 'localizers' / 'drn'
    whole.mkdir(parents=True)
    for folder in (whole.parent, whole.parents[1], whole.parents[2]):
        (folder / '__init__.py').write_text('')
    (whole / 'drn.py').write_text("DRN = 'its own'\n")
    run = fresh_python(
        'import echocardmae_mm\n'
        'from mmaction.models.localizers.drn.drn import DRN\n'
        'print(DRN, echocardmae_mm.PATCHES[0].active)',
        tmp_path,
    )
    assert run.stdout.split() == ['its', 'own', 'False'], run.stderr
