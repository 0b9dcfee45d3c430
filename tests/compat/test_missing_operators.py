import sys

import pytest
import torch
from mmcv.utils import collect_env

from echocardmae_mm.compat.missing_operators import MISSING_OPERATORS, MissingOperators
from echocardmae_mm.utils.errors import UserError

lite = pytest.mark.skipif(not MISSING_OPERATORS.active, reason='the full mmcv is installed')


@lite
def test_mmseg_cannot_be_imported_without(fresh_python):
    run = fresh_python('import mmcv.ops')
    assert run.returncode == 1
    assert "No module named 'mmcv._ext'" in run.stderr


@lite
def test_a_called_operator_says_what_to_install():
    from mmcv.ops import nms, point_sample
    from mmengine.utils.dl_utils import mmcv_full_available

    boxes, scores = torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1)
    with pytest.raises(UserError, match=r"'nms' of mmcv.*\n.*pip install"):
        nms(boxes, scores, 0.5)
    sampled = point_sample(torch.ones(1, 1, 4, 4), torch.full((1, 1, 2), 0.5))
    assert sampled.item() == 1
    assert 'mmcv._ext' not in sys.modules
    assert not mmcv_full_available()


@lite
def test_the_environment_is_collected_as_for_mmcv_lite():
    environment = collect_env()
    assert environment['MMCV Compiler'] == environment['MMCV CUDA Compiler'] == 'n/a'


def test_the_stand_in_has_no_dunder_of_its_own():
    assert callable(MissingOperators('mmcv._ext').anything)
    assert not hasattr(MissingOperators('mmcv._ext'), '__path__')


def test_a_full_mmcv_keeps_its_operators(fresh_python, tmp_path):
    ops = tmp_path / 'mmcv' / 'ops'
    ops.mkdir(parents=True)
    (ops.parent / '__init__.py').write_text('')
    (ops.parent / '_ext.py').write_text("def nms():\n    return 'compiled'\n")
    (ops / '__init__.py').write_text('from mmcv._ext import nms\n')
    run = fresh_python(
        'import sys, echocardmae_mm\n'
        'import mmcv.ops\n'
        "print(mmcv.ops.nms(), 'mmcv._ext' in sys.modules, echocardmae_mm.PATCHES[1].active)",
        tmp_path,
    )
    assert run.stdout.split() == ['compiled', 'True', 'False'], run.stderr
