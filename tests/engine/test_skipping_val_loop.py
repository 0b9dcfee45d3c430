"""A damaged recording does not end a training run at its validation."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

CONFIG = Path(__file__).with_name('tiny_pretraining.py')


def test_validation_leaves_out_damaged_recordings(recordings, tmp_path):
    folder = Path(shutil.copytree(recordings, tmp_path / 'recordings'))
    damaged = [folder / f'{index:02d}.avi' for index in (0, 1, 2, 4)]  # one batch, and one of three
    for path in damaged:
        path.write_bytes(b'damaged')
    config = Config.fromfile(CONFIG)
    config.work_dir, config.experiment_name = str(tmp_path / 'run'), tmp_path.name
    config.train_dataloader.dataset.data_root = str(recordings)
    config.val_dataloader = dict(
        config.train_dataloader,
        num_workers=1,
        persistent_workers=True,
        drop_last=False,
        sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    )
    dataset = dict(config.train_dataloader.dataset, data_root=str(folder), test_mode=True)
    config.val_dataloader.dataset = dataset
    config.val_evaluator = dict(type='echocardmae_mm.ReconstructionMetric')
    config.val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
    config.param_scheduler = None
    config.train_cfg.update(max_epochs=1)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.val_loop.run()['reconstruction/mse'] > 0
    log = next(tmp_path.glob('run/*/*.log')).read_text()
    assert [log.count(f'skipped {path}: not a video') for path in damaged] == [1] * 4
