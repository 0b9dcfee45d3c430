"""The demo's pretraining reconstructs better than what needs no learning, through its encoder."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

ROOT = Path(__file__).parents[1]
BASELINES = ('train_mean', 'copy_space', 'copy_time', 'copy_spacetime')


def saves_a_fifth(metrics: dict[str, float]) -> bool:
    """Whether the error is 20 % below each baseline's, its interval above 0."""
    return all(
        metrics[f'reconstruction/reduction_{name}'] >= 0.2
        and metrics[f'reconstruction/reduction_{name}_low'] > 0
        for name in BASELINES
    )


@pytest.mark.slow
def test_the_demo_learns_and_a_cut_between_encoder_and_decoder_is_noticed(tmp_path):
    make = [sys.executable, ROOT / 'tools' / 'make_phantoms.py', '--out', tmp_path / 'phantom']
    size = ['--videos', '240', '--seed', '3', '--jobs', '2', '--datasets', 'echonet']
    subprocess.run([*make, *size], check=True)
    config = Config.fromfile(ROOT / 'configs' / 'phantom' / 'pretrain.py')
    config.work_dir = str(tmp_path / 'work')
    config.merge_from_dict(
        {
            f'{place}.data_root': str(tmp_path / 'phantom' / 'EchoNet-Dynamic')
            for place in (
                'train_dataloader.dataset',
                'val_dataloader.dataset',
                'test_dataloader.dataset',
                'test_evaluator.mean_of',
                'custom_hooks.0.dataset',
            )
        }
    )
    config.train_cfg.val_interval = 1000
    runner = Runner.from_cfg(config)
    runner.train()
    assert saves_a_fifth(runner.test())

    runner.model.neck.encoder_to_decoder.weight.data.zero_()
    assert not saves_a_fifth(runner.test())
