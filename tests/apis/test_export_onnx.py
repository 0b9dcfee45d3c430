"""ONNX gives the numbers of torch, and needs neither torch nor OpenMMLab."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.apis import Bundle, EchoInferencer, export_onnx
from echocardmae_mm.apis.example import BUNDLES
from echocardmae_mm.apis.export_onnx import example_inputs, random_like
from echocardmae_mm.apis.segment_frames import segment_frames
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import UserError

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')
PAGE = Path(__file__).parents[2] / 'docs' / 'runtimes.md'
WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('torch', 'mmengine', 'mmcv', 'mmaction', 'echocardmae_mm'):
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture(scope='module')
def exported(bundles, tmp_path_factory):
    """A copy of each bundle with its ONNX file; the network of ``view`` is that of ``mi``."""
    folder = tmp_path_factory.mktemp('exported')
    sources = {**bundles, **dict(zip(('ef', 'seg'), BUNDLES))}  # trained, where there are such
    del sources['view']
    copies = {}
    for name, source in sources.items():
        copies[name] = shutil.copytree(source, folder / name)
        assert export_onnx(Bundle(copies[name], 'cpu'), copies[name] / 'model.onnx') < 1e-4
    return copies


@pytest.mark.parametrize(
    ('name', 'inputs', 'output'),
    [
        ('ef', 'clips', 'ef_percent'),
        ('mi', 'clips', 'probabilities'),
        ('seg', 'frames', 'logits'),
        ('clip_seg', 'clips', 'logits'),
    ],
)
def test_any_number_of_inputs_gives_what_torch_gives(exported, name, inputs, output):
    bundle = Bundle(exported[name], 'cpu')
    session = onnxruntime.InferenceSession(exported[name] / 'model.onnx')
    assert [one.name for one in session.get_inputs()] == [inputs]
    assert [one.name for one in session.get_outputs()] == [output, 'features']
    for count in (1, 4):
        shown = random_like(example_inputs(bundle), count)
        found, features = session.run(None, {inputs: shown.numpy()})
        expected = bundle.network(shown)
        np.testing.assert_allclose(found, expected[output], atol=1e-4)
        np.testing.assert_allclose(features, expected['features'], atol=1e-4)
    if name == 'mi':
        np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_the_metadata_tell_what_the_caller_must_know(exported):
    bundle = Bundle(exported['ef'], 'cpu')
    session = onnxruntime.InferenceSession(bundle.folder / 'model.onnx')
    metadata = session.get_modelmeta().custom_metadata_map
    told = {name: json.loads(value) for name, value in metadata.items()}
    assert told['weights_sha256'] == bundle.sha256
    assert (told['task'], told['framing']) == ('ejection_fraction', 'echonet')
    assert (told['frame_size'], told['fps'], told['synthetic']) == ([112, 112], 50.0, True)
    assert told['sampling'] == {'clip_len': 16, 'frame_interval': 4, 'num_clips': 5}


def test_prediction_gives_the_numbers_of_torch(exported, recordings):
    folders = [exported[name] for name in ('ef', 'seg', 'mi')]
    torch_, onnx = (
        EchoInferencer(folders, 'cpu', allow_synthetic_model=True, runtime=runtime)
        for runtime in ('torch', 'onnx')
    )
    expected, found = torch_(recordings['clip']), onnx(recordings['clip'])
    for name, tolerance in (('ef_percent', 0.01), ('infarction_probability', 1e-4)):
        assert found.values[name] == pytest.approx(expected.values[name], abs=tolerance)
    assert (found.labels == expected.labels).mean() >= 0.999
    assert found.labels.max() == 1
    distance = expected.values['training_distance']
    assert found.values['training_distance'] == pytest.approx(distance, rel=1e-3)


def test_an_older_file_without_features_is_refused_if_they_are_needed(exported, tmp_path):
    import onnx

    folder = shutil.copytree(exported['ef'], tmp_path / 'ef')
    model = onnx.load(folder / 'model.onnx')
    del model.graph.output[1]
    onnx.save(model, folder / 'model.onnx')
    with pytest.raises(UserError, match=r'has no output features.*\n.*export'):
        Bundle(folder, runtime='onnx')
    calibration = json.loads((folder / 'calibration.json').read_text())
    del calibration['features']
    (folder / 'calibration.json').write_text(json.dumps(calibration))
    assert Bundle(folder, runtime='onnx').feature_distance is None


def test_a_clip_is_segmented_as_by_torch(exported, recordings):
    frames = open_recording(recordings['echonet']).frames(range(40))
    torch_, onnx = (Bundle(exported['clip_seg'], 'cpu', runtime) for runtime in ('torch', 'onnx'))
    labels, features = segment_frames(torch_, frames)
    found, its_features = segment_frames(onnx, frames)
    assert (labels == found).mean() >= 0.999
    np.testing.assert_allclose(its_features, features, atol=1e-4)
    assert labels.max() == 1


def test_the_example_of_the_page_runs_without_torch_and_openmmlab(exported, recordings, tmp_path):
    (example,) = re.findall(r'```python\n(.*?)```', PAGE.read_text(), re.S)
    (tmp_path / 'bundles').mkdir()
    (tmp_path / 'bundles' / 'ef').symlink_to(exported['ef'])
    shutil.copy(recordings['echonet'], tmp_path / 'recording.avi')
    ran = subprocess.run(
        [sys.executable, '-c', WITHOUT + example], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    measure = EchoInferencer([exported['ef']], 'cpu', allow_synthetic_model=True)
    ef = measure(recordings['echonet']).values['ef_percent']
    assert float(re.search(r'([\d.]+) %', ran.stdout)[1]) == pytest.approx(ef, abs=0.01)


def test_a_file_of_other_weights_or_a_damaged_one_is_refused(exported, bundles, tmp_path):
    folder = shutil.copytree(bundles['ef'], tmp_path / 'ef')
    with pytest.raises(UserError, match=r'no such file\nMake it with: echocardmae export'):
        Bundle(folder, runtime='onnx')
    shutil.copy(exported['ef'] / 'model.onnx', folder)
    with pytest.raises(UserError, match='holds other weights than its bundle'):
        Bundle(folder, runtime='onnx')
    (folder / 'model.onnx').write_bytes(b'no model')
    with pytest.raises(UserError, match='onnxruntime cannot read it'):
        Bundle(folder, runtime='onnx')
    with pytest.raises(UserError, match='uses the CPU, not device cuda'):
        Bundle(exported['ef'], 'cuda', 'onnx')
