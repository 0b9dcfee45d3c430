"""Our configs under the hosts' own tools, whose scripts come with their packages."""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

CONFIGS = Path(__file__).parents[2] / 'configs'


def tool(package: str, name: str) -> str:
    return str(Path(find_spec(package).origin).parent / '.mim' / 'tools' / name)


def test_mmactions_tool_trains_and_resumes_exactly(new_run, uninterrupted):
    script = tool('mmaction', 'train.py')
    run = new_run()
    assert run.start(script=script).wait_for_file('iter_6.pth')
    run.send(15)
    assert run.finish() == 128 + 15
    assert run.start('--resume', script=script).finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


def test_mmsegmentations_tools_train_and_test(monkeypatch, echonet_root, tmp_path):
    loaders = [f'{part}_dataloader' for part in ('train', 'val', 'test')]
    options = [
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'model.backbone.init_cfg=None',
        'model.decode_head.init_cfg=None',
        *(f'{loader}.dataset.data_root={echonet_root}' for loader in loaders),
        *(f'{loader}.num_workers=0' for loader in loaders),
        *(f'{loader}.persistent_workers=False' for loader in loaders),
        'train_dataloader.batch_size=2',
    ]

    def run(name: str, *arguments: str) -> None:
        command = [name, str(CONFIGS / 'phantom' / 'seg_phantom.py'), *arguments]
        command += ['--work-dir', str(tmp_path), '--cfg-options', *options]
        monkeypatch.setattr(sys, 'argv', command)
        runpy.run_path(tool('mmseg', name), run_name='__main__')

    run('train.py')
    (best,) = tmp_path.glob('best_seg_dice_pooled_epoch_1.pth')
    run('test.py', str(best))
    assert len(pd.read_csv(tmp_path / 'predictions.csv')) == 4
