"""Pictures of segmented frames during training."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from echocardmae_mm.engine import SegmentationHook
from tests.helpers.small_models import CONFIGS, shorten


def test_a_recording_that_broke_since_its_validation_has_no_picture(echonet_root, tmp_path):
    root = Path(shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic'))
    config = Config.fromfile(CONFIGS / 'seg_echonet.py')
    shorten(config, root, tmp_path / 'run')
    config.model.backbone.update(depth=1, init_cfg=None)
    config.model.decode_head.update(depth=1, init_cfg=None)
    runner = Runner.from_cfg(config)
    (batch,) = runner.val_loop.dataloader
    outputs = runner.model.val_step(batch)
    hook = SegmentationHook()
    picture = tmp_path / 'run' / 'pictures' / 'val_epoch_0.png'

    hook.after_val_iter(runner, 0, batch, outputs)
    hook.after_val_epoch(runner)
    assert picture.is_file()

    picture.unlink()
    for video in (root / 'Videos').iterdir():
        video.write_bytes(b'damaged')
    hook.after_val_iter(runner, 0, batch, outputs)
    hook.after_val_epoch(runner)
    assert not picture.exists()
