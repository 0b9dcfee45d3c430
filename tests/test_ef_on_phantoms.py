"""The EF config on a phantom copy of EchoNet-Dynamic, by data_root and a smaller encoder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from mmengine.config import Config

from tests.helpers.small_models import CONFIGS, write_checkpoint

SMALL = {'model.backbone.depth': 2}
OPTIONS = [f'{name}={value}' for name, value in SMALL.items()]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group('ef_on_phantoms')]


@pytest.fixture(scope='module')
def phantoms(command, tmp_path_factory) -> Path:
    """24 EchoNet-Dynamic videos."""
    root = tmp_path_factory.mktemp('phantoms')
    size = ['--videos', '24', '--datasets', 'echonet', '--jobs', '1']
    done = command('phantoms', '--out', root, '--seed', '5', *size)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope='module')
def workplace(tmp_path_factory) -> Path:
    """A folder with the checkpoint of configs/pretrain_echo.py: two fresh layers."""
    folder = tmp_path_factory.mktemp('workplace')
    config = Config.fromfile(CONFIGS / 'pretrain_echo.py')
    config.merge_from_dict(SMALL)
    write_checkpoint(config, folder / 'work_dirs' / 'pretrain_echo' / 'epoch_1600.pth')
    return folder


@pytest.fixture
def run(command, workplace):
    """``run('train', *arguments)`` runs a command there; returns what it printed."""

    def run(*arguments: object) -> str:
        done = command(*arguments, cwd=workplace)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return run


def test_echonet(run, phantoms, workplace):
    data = ['--cfg-options', f'data_root={phantoms}/EchoNet-Dynamic', *OPTIONS]
    config = CONFIGS / 'ef_echonet.py'
    log = run('train', config, *data, 'train_cfg.max_epochs=1')
    told = next(line for line in log.splitlines() if 'encoder: ' in line)
    assert '28 of 30 tensors' in told
    assert 'fresh: fc_norm.bias, fc_norm.weight; unused: norm.bias, norm.weight' in told
    (best,) = (workplace / 'work_dirs' / 'ef_echonet').glob('best_*.pth')
    printed = run('test', config, best, *data, '--plot')
    assert '| MAE / MAE of the constant median' in printed
    table = pd.read_csv(workplace / 'work_dirs' / 'ef_echonet' / 'predictions.csv')
    truth = pd.read_csv(phantoms / 'truth' / 'EchoNet-Dynamic.csv').set_index('name')
    assert len(table) == (truth['split'] == 'TEST').sum()
    assert table['ef'].tolist() == pytest.approx(
        [truth.loc[Path(video).stem, 'ef'] for video in table['video']]
    )
