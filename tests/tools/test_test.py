"""tools/test.py writes down what was tested."""

from __future__ import annotations

import hashlib
import json
import pickle
import runpy
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

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
def tool(monkeypatch, tmp_path):
    """``tools/test.py`` in a folder of its own."""
    monkeypatch.syspath_prepend(str(TEST.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    Path('config.py').write_text(CONFIG)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(TEST), 'config.py', *arguments])
        return Namespace(**runpy.run_path(str(TEST)))

    return call


@pytest.fixture
def checkpoint(tool):
    config = Config.fromfile('config.py')
    init_default_scope('mmaction')
    torch.save({'state_dict': MODELS.build(config.model).state_dict()}, 'weights.pth')
    return 'weights.pth'


def test_figures_and_what_they_came_from(tool, checkpoint, make_video, tmp_path):
    for name in 'abc':
        make_video(tmp_path / 'recordings' / f'{name}.avi', num_frames=8)
    tool(checkpoint, '--dump', 'predictions.pkl').main()

    result = json.loads(Path('work_dirs/config/test.json').read_text())
    assert result['metrics']['reconstruction/mse'] > 0
    digest = hashlib.sha256(Path(checkpoint).read_bytes()).hexdigest()
    assert result['checkpoint_sha256'] == digest
    assert result['seed'] == 3
    assert "type='echocardmae_mm.EchoCardMAE'" in result['config_text']
    assert {'commit', 'config', 'checkpoint'} <= set(result)
    assert len(pickle.loads(Path('predictions.pkl').read_bytes())) == 3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['none.pth'], 'error: none.pth: no such checkpoint'),
        (['weights.pth', '--dump', 'a.json'], 'error: --dump a.json: expected a name that ends in'),
        (['weights.pth', '--show'], 'error: config.py draws no predictions'),
        (['weights.pth'], 'error: recordings: no such folder'),
    ],
)
def test_a_mistake_costs_one_line(tool, checkpoint, arguments, message):
    with pytest.raises(SystemExit) as end:
        tool(*arguments).main()
    assert end.value.code.startswith(message)


@pytest.mark.parametrize('kind', ['mmaction.VisualizationHook', 'SegVisualizationHook'])
def test_pictures_of_either_host(tool, checkpoint, kind):
    module = tool(checkpoint, '--show-dir', 'shown', '--interval', '3')
    config = Config.fromfile('config.py')
    config.default_hooks.visualization = dict(type=kind)
    module.merge(config, module.parse_args())
    hook = config.default_hooks.visualization
    assert (hook.interval, hook.wait_time, hook.show) == (3, 2, False)
    if kind == 'SegVisualizationHook':
        assert (hook.draw, config.visualizer.save_dir) == (True, 'shown')
    else:
        assert (hook.enable, hook.out_dir) == (True, 'shown')
