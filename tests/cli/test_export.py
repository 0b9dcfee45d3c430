"""One command adds an ONNX file to a bundle, which predict then uses."""

import shutil

import pandas as pd
import pytest

from echocardmae_mm.apis.example import BUNDLES

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')


def test_predicts_with_an_exported_bundle(command, recordings, tmp_path):
    bundle = shutil.copytree(BUNDLES[0], tmp_path / 'ef')
    predict = ('predict', recordings['echonet'], '--bundle', bundle, '--allow-synthetic-model')
    onnx = (*predict, '--out', tmp_path / 'onnx', '--runtime', 'onnx')
    missing = command(*onnx)
    assert missing.returncode == 1
    assert 'model.onnx: no such file' in missing.stderr
    exported = command('export', bundle, '--format', 'onnx')
    assert exported.returncode == 0, exported.stderr
    assert 'differs from torch by at most' in exported.stdout
    again = command('export', bundle)
    assert again.returncode == 1
    assert 'pass --force' in again.stderr
    assert command(*onnx).returncode == 0
    assert command(*predict, '--out', tmp_path / 'torch', '--device', 'cpu').returncode == 0
    onnx_ef, torch_ef = (
        pd.read_csv(tmp_path / name / 'results.csv')['ef_percent'][0] for name in ('onnx', 'torch')
    )
    assert onnx_ef == pytest.approx(torch_ef, abs=0.01)


def test_a_folder_is_no_place_for_the_file(command, tmp_path):
    refused = command('export', BUNDLES[0], '--out', tmp_path, '--force')
    assert refused.returncode == 1
    assert f'{tmp_path} is a folder; expected a file, such as' in refused.stderr
    assert not list(tmp_path.iterdir())
