"""Segmentation by MMSegmentation's own tools, and of whole recordings by ours."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from echocardmae_mm.datasets import EchoNetSegDataset
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom import make_phantom

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group('mmseg')
CONFIG = f"""
_base_ = '{ROOT}/configs/seg_echonet.py'
model = dict(
    backbone=dict(embed_dims=48, depth=1, num_heads=3, init_cfg=None),
    decode_head=dict(in_channels=48, embed_dims=48, depth=1, num_heads=3, init_cfg=None),
)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
test_dataloader = dict(batch_size=2, num_workers=0)
test_evaluator = dict(n_resamples=20)
train_cfg = dict(max_epochs=1)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
"""

CLIPS = f"""
_base_ = '{ROOT}/configs/_base_/runtime_seg.py'
from echocardmae_mm.recipes import clip_segmentation
tiny = dict(embed_dims=8, depth=1, num_heads=1)
globals().update(
    clip_segmentation(
        patch_size=112, tubelet_size=16, frame_interval=1, checkpoint=None, decoder=tiny, **tiny
    )
)
"""


@pytest.fixture(scope='module')
def trained(tmp_path_factory, echonet_root) -> Path:
    """Folder of a run by MMSegmentation's own tools/train.py."""
    folder = tmp_path_factory.mktemp('mmseg')
    (folder / 'seg.py').write_text(CONFIG)
    spec = find_spec('mmseg')
    assert spec is not None
    train = Path(str(spec.origin)).parent / '.mim' / 'tools' / 'train.py'
    options = [f'{p}_dataloader.dataset.data_root={echonet_root}' for p in ('train', 'val', 'test')]
    done = subprocess.run(
        [sys.executable, train, 'seg.py', '--work-dir', 'run', '--cfg-options', *options],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((folder / 'run').glob('best_seg_dice_pooled_epoch_1.pth'))
    return folder


def test_mmsegmentations_own_inference_takes_a_path_and_an_array(trained, echonet_root):
    from mmseg.apis import inference_model, init_model

    checkpoint = str(trained / 'run' / 'epoch_1.pth')
    video = str(next((echonet_root / 'Videos').glob('*.avi')))
    by_path = inference_model(init_model(str(trained / 'seg.py'), checkpoint, device='cpu'), video)
    assert by_path.pred_sem_seg.data.shape == (1, 112, 112)
    model = init_model(str(trained / 'seg.py'), checkpoint, device='cpu')
    assert model.dataset_meta['classes'] == ('background', 'left ventricle')
    frame = open_recording(video).frames([0])[0]
    by_array = inference_model(model, frame)
    assert torch.equal(by_path.pred_sem_seg.data, by_array.pred_sem_seg.data)


def test_mmsegmentations_own_test_gives_our_figures(trained, echonet_root):
    config = Config.fromfile(trained / 'run' / 'seg.py')
    config.work_dir, config.load_from = str(trained / 'again'), str(trained / 'run' / 'epoch_1.pth')
    config.experiment_name = 'again'
    metrics = Runner.from_cfg(config).test()
    spec = find_spec('mmseg')
    test = Path(str(spec.origin)).parent / '.mim' / 'tools' / 'test.py'
    done = subprocess.run(
        [sys.executable, test, 'run/seg.py', 'run/epoch_1.pth', '--work-dir', 'tested'],
        cwd=trained, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = pd.read_csv(trained / 'tested' / 'predictions.csv')
    ours = pd.read_csv(trained / 'again' / 'predictions.csv')
    pd.testing.assert_frame_equal(theirs, ours)
    assert metrics['seg/n'] == len(ours) == 4


@pytest.fixture(scope='module')
def screen(tmp_path_factory) -> Path:
    """A recording as a vendor's screen shows it, larger than it is wide."""
    phantom = make_phantom(3, num_frames=30, screen='clip')
    path = tmp_path_factory.mktemp('screen') / 'clip.avi'
    height, width = phantom.frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 50, (width, height))
    for frame in phantom.frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.mark.parametrize('crop', ['auto', 'none'])
def test_a_recording_of_another_size_is_segmented_at_its_own(command, trained, screen, crop):
    out = trained / crop
    arguments = 'seg.py', 'run/epoch_1.pth', '--crop', crop, '--out', out
    done = command('segment-video', screen, *arguments, cwd=trained)
    assert done.returncode == 0, done.stderr
    frames = pd.read_csv(out / 'frames.csv')
    assert frames['frame'].tolist() == list(range(30))
    assert frames['seconds'].iloc[-1] == pytest.approx(29 / 50)
    result = json.loads((out / 'summary.json').read_text())
    assert (result['frames'], result['fps']) == (30, 50)
    video = cv2.VideoCapture(str(out / 'overlay.mp4'))
    shape = open_recording(screen).frames([0]).shape
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 30
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == shape[2]
    assert video.get(cv2.CAP_PROP_FRAME_HEIGHT) == shape[1]
    assert (out / 'curve.png').stat().st_size > 5000


KEPT = dict(file='other.avi', config='seg.py', checkpoint='run/epoch_1.pth', crop='auto')


@pytest.mark.parametrize(
    ('kept', 'message'),
    [
        (json.dumps(KEPT), 'file was other.avi'),
        ('{"mine": 1}', 'summary.json is damaged or from another program'),
        ('[]', 'summary.json is damaged or from another program'),
        ('{', 'summary.json is damaged or from another program'),
    ],
    ids=['another recording', 'a foreign file', 'a foreign list', 'a damaged file'],
)
def test_other_results_are_kept(command, trained, screen, tmp_path, kept, message):
    (tmp_path / 'summary.json').write_text(kept)
    arguments = 'seg.py', 'run/epoch_1.pth', '--out', tmp_path
    refused = command('segment-video', screen, *arguments, cwd=trained)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 2
    assert (tmp_path / 'summary.json').read_text() == kept
    assert len(list(tmp_path.iterdir())) == 1


def test_other_results_are_replaced_when_asked(command, trained, screen, tmp_path):
    (tmp_path / 'summary.json').write_text(json.dumps(KEPT))
    arguments = 'seg.py', 'run/epoch_1.pth', '--out', tmp_path, '--force'
    done = command('segment-video', screen, *arguments, cwd=trained)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'summary.json').read_text())['file'] == str(screen)


def test_a_model_of_clips_labels_a_whole_recording(command, tmp_path, make_video):
    (tmp_path / 'clips.py').write_text(CLIPS)
    config = Config.fromfile(tmp_path / 'clips.py')
    init_default_scope('mmseg')
    model = MODELS.build(config.model)
    for parameter in model.parameters():
        parameter.data.zero_()
    # The model says the same of every clip: an ellipsoid that beats once in its 16 frames.
    rows, columns = np.mgrid[:112, :112]
    half_widths = 24 + 4 * np.cos(2 * np.pi * np.arange(16) / 16)[:, None, None]
    inside = ((columns - 56) / half_widths) ** 2 + ((rows - 56) / 40) ** 2 < 1
    logits = torch.from_numpy(np.stack([~inside, inside], axis=-1)).float()
    model.decode_head.classifier.bias.data = logits.flatten()
    meta = dict(dataset_meta=EchoNetSegDataset.METAINFO)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'clips.pth')
    recording = make_video(tmp_path / 'a.avi', num_frames=64, fps=16)

    arguments = 'clips.py', 'clips.pth', '--out', 'out'
    done = command('segment-video', recording, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    frames = pd.read_csv(tmp_path / 'out' / 'frames.csv')
    areas = np.tile(inside.sum((1, 2)), 4)
    np.testing.assert_array_equal(frames['area_pixels'], areas)
    beats = pd.read_csv(tmp_path / 'out' / 'beats.csv')
    np.testing.assert_allclose(beats['es'], [8, 24, 40, 56][-len(beats) :], atol=1)
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['beats'] == len(beats) >= 3
    assert summary['ef_mean'] == pytest.approx(100 * (1 - (20 / 28) ** 2), abs=2)


def test_mistakes_cost_two_lines(command, trained, screen, tmp_path):
    wrong = [
        ((tmp_path / 'none.avi', trained / 'seg.py', 'x.pth'), 'none.avi: no such recording'),
        ((screen, trained / 'seg.py', 'x.pth'), 'x.pth: no such checkpoint'),
        (
            (screen, ROOT / 'configs' / 'ef_echonet.py', trained / 'run' / 'epoch_1.pth'),
            'expected a segmentation config',
        ),
        (
            (screen, ROOT / 'configs' / 'seg_echonet.py', trained / 'run' / 'epoch_1.pth'),
            'of the model, such as',
        ),
    ]
    for arguments, message in wrong:
        done = command('segment-video', *arguments, '--out', tmp_path / 'out')
        assert done.returncode == 1
        assert message in done.stderr
        assert 'Traceback' not in done.stderr
        assert not (tmp_path / 'out').exists()
