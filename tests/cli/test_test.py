"""The command ``test`` records its results and their origin."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.engine.hooks import SegVisualizationHook

from echocardmae_mm.cli import test as command
from echocardmae_mm.cli.configuration import load_config
from tests.helpers.small_models import shorten, small_ef, write_checkpoint

ROOT = Path(__file__).parents[2]
TEST = ROOT / 'tools' / 'test.py'
CONFIG = f"""
_base_ = '{ROOT}/tests/engine/tiny_pretraining.py'
test_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(_base_.train_dataloader.dataset, test_mode=True),
)
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='echocardmae_mm.ReconstructionMetric')
"""


@pytest.fixture
def test(monkeypatch, tmp_path):
    """``test(checkpoint, *arguments)`` runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path('config.py').write_text(CONFIG)
    return lambda *arguments: command.main(['config.py', *arguments])


@pytest.fixture
def checkpoint(test):
    return write_checkpoint(Config.fromfile('config.py'), 'weights.pth')


def test_figures_and_what_they_came_from(test, checkpoint, make_video, tmp_path):
    for name in 'abc':
        make_video(tmp_path / 'recordings' / f'{name}.avi', num_frames=8)
    test(checkpoint, '--dump', 'predictions.pkl')

    result = json.loads(Path('work_dirs/config/test.json').read_text())
    assert result['metrics']['reconstruction/mse'] > 0
    digest = hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()
    assert result['checkpoint_sha256'] == digest
    assert result['seed'] == 3
    assert "type='echocardmae_mm.EchoCardMAE'" in result['config_text']
    assert {'commit', 'config', 'checkpoint'} <= set(result)
    assert len(pickle.loads(Path('predictions.pkl').read_bytes())) == 3


def test_options_do_not_replace_the_checkpoint(test, checkpoint, make_video, tmp_path):
    """A second stage names its first in ``load_from``, and is tested itself."""
    make_video(tmp_path / 'recordings' / 'a.avi', num_frames=8)
    weights = torch.load(checkpoint)['state_dict']
    torch.save({'state_dict': {k: 2 * v for k, v in weights.items()}}, 'first_stage.pth')
    errors = []
    for options in ((), ('--cfg-options', 'load_from=first_stage.pth')):
        test(checkpoint, *options)
        result = json.loads(Path('work_dirs/config/test.json').read_text())
        errors.append(result['metrics']['reconstruction/mse'])
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['none.pth'], 'error: none.pth: no such checkpoint'),
        (['weights.pth', '--dump', 'a.json'], 'error: --dump a.json: expected a file name'),
        (['weights.pth', '--show'], 'error: --show: config.py has no default_hooks.visualization'),
        (['weights.pth', '--tta'], 'error: --tta: config.py lacks tta_model or tta_pipeline'),
        (['weights.pth'], 'error: recordings: no such folder'),
    ],
)
def test_a_mistake_costs_one_line(test, checkpoint, arguments, message):
    with pytest.raises(SystemExit) as end:
        test(*arguments)
    assert end.value.code.startswith(message)


def test_a_config_without_a_test_is_refused_with_dump(test, checkpoint):
    Path('config.py').write_text("model = dict(type='X')\ntest_evaluator = None")
    with pytest.raises(SystemExit, match=r'config\.py: has no test set'):
        test(checkpoint, '--dump', 'predictions.pkl')


def test_options_reach_the_metric_of_a_dump(checkpoint):
    options = ['--cfg-options', 'test_evaluator.seed=7']
    args = command.parse_args(['config.py', checkpoint, '--dump', 'predictions.pkl', *options])
    config = load_config(args.config)
    command.merge(config, args)
    assert [part.type for part in config.test_evaluator][1:] == ['DumpResults']
    assert config.test_evaluator[0].seed == 7


def test_nothing_is_shown_without_hooks(test, checkpoint):
    Path('config.py').write_text("model = dict(type='X')")
    with pytest.raises(SystemExit, match=r'--show: config\.py has no default_hooks'):
        test(checkpoint, '--show')


@pytest.mark.parametrize(
    'kind', ['mmaction.VisualizationHook', 'SegVisualizationHook', SegVisualizationHook]
)
def test_pictures_of_either_host(test, checkpoint, kind):
    args = command.parse_args(['config.py', checkpoint, '--show-dir', 'shown', '--interval', '3'])
    config = load_config(args.config)
    config.default_hooks.visualization = dict(type=kind)
    command.merge(config, args)
    hook = config.default_hooks.visualization
    assert (hook.interval, hook.wait_time, hook.show) == (3, 2, False)
    if kind != 'mmaction.VisualizationHook':
        assert (hook.draw, config.visualizer.save_dir) == (True, 'shown')
    else:
        assert (hook.enable, hook.out_dir) == (True, 'shown')


TORCHRUN = [
    sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--master_port=29517',
]  # fmt: skip


@pytest.fixture(scope='module')
def trained(echonet_root, tmp_path_factory):
    """The checkpoint of an EF model that was trained on the training split."""
    folder = tmp_path_factory.mktemp('trained')
    config = Config.fromstring(small_ef(), '.py')
    shorten(config, echonet_root, folder)
    Runner.from_cfg(config).train()
    (checkpoint,) = folder.glob('best_*.pth')
    return checkpoint


@pytest.fixture
def test_ef(test, trained, echonet_root):
    """The tool on that config and checkpoint."""
    Path('config.py').write_text(small_ef())

    def call(*arguments):
        options = ['--cfg-options', f'data_root={echonet_root}', *arguments]
        return test(str(trained), *options)

    return call


def test_ef_leaves_predictions_pictures_and_what_was_read(test_ef):
    test_ef('--plot')
    folder = Path('work_dirs/config')
    table = pd.read_csv(folder / 'predictions.csv')
    assert len(table) == 2
    assert (table['clips'] == 5).all()
    assert {path.name for path in (folder / 'plots').iterdir()} == {
        'test_predicted_against_true.png', 'test_bland_altman.png', 'test_error_by_ef_class.png'
    }  # fmt: skip
    result = json.loads((folder / 'test.json').read_text())
    assert result['metrics']['ef/n'] == 2
    assert result['leakage'] == {'recordings': [], 'tested': 2, 'unknown': []}
    (data,) = result['data']
    assert (data['type'], data['recordings']) == ('EchoNetDynamicDataset', 2)
    assert data['found']['of the split'] == 2


def test_what_was_trained_on_is_not_tested_on_under_another_name(test_ef, echonet_root, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(echonet_root, copy)
    lists = (copy / 'FileList.csv').read_text()
    # The same bytes under new names, in the test split.
    for video in sorted((copy / 'Videos').iterdir()):
        video.rename(video.with_name(f'renamed_{video.name}'))
    rows = lists.replace('0X', 'renamed_0X').replace('TRAIN', 'TEST')
    (copy / 'FileList.csv').write_text(rows)
    options = ('--cfg-options', f'data_root={copy}')
    with pytest.raises(SystemExit) as end:
        test_ef(*options)
    assert 'was trained on 5 of the 7 recordings to test on, such as' in end.value.code
    assert len(end.value.code.splitlines()) == 2
    test_ef(*options, '--allow-leakage')
    result = json.loads(Path('work_dirs/config/test.json').read_text())
    assert len(result['leakage']['recordings']) == 5


def test_plot_needs_a_config_that_draws(test, checkpoint, make_video, tmp_path):
    make_video(tmp_path / 'recordings' / 'a.avi', num_frames=8)
    with pytest.raises(SystemExit) as end:
        test(checkpoint, '--plot')
    assert end.value.code.startswith('error: config.py: --plot needs')


@pytest.mark.slow
def test_two_processes_leave_what_one_leaves(test_ef, trained, echonet_root, tmp_path):
    """Three recordings on two ranks: one is padded by the sampler, and cut off again."""
    options = [
        'config.py', str(trained), '--cfg-options', f'data_root={echonet_root}',
        "test_dataloader.dataset.split=['val','test']",
    ]  # fmt: skip
    command.main([*options, '--work-dir', 'one'])
    done = subprocess.run(
        [*TORCHRUN, TEST, *options, '--work-dir', 'two', '--launcher', 'pytorch'],
        capture_output=True, text=True, timeout=300, env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (pd.read_csv(f'{name}/predictions.csv') for name in ('one', 'two'))
    assert len(one) == 3
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)
    results = [json.loads(Path(f'{name}/test.json').read_text()) for name in ('one', 'two')]
    assert results[0]['metrics']['ef/mae'] == pytest.approx(results[1]['metrics']['ef/mae'])
