"""The command ``clip-consistency`` on two real checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from mmengine.config import Config

from echocardmae_mm.cli.clip_consistency import main, take_every_start
from echocardmae_mm.datasets.transforms import SampleUniformClips
from echocardmae_mm.evaluation import EFMetric
from tests.helpers.small_models import small_ef, write_checkpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compare(monkeypatch, tmp_path, echonet_root):
    """``compare(*arguments)`` runs it in a folder with two checkpoints of one small model."""
    monkeypatch.chdir(tmp_path)
    for name in ('ef_echonet', 'ef_camus'):
        Path(f'{name}.py').write_text(small_ef(name))
    for seed in (1, 2):
        config = Config.fromfile('ef_echonet.py')
        write_checkpoint(config, f'{seed}.pth', seed, std=0.05 * seed)

    def run(*arguments):
        options = ['--cfg-options', f'data_root={echonet_root}']
        main([*arguments, *options])

    return run


def test_every_start_of_every_recording_by_two_models(compare, tmp_path, capsys):
    compare('ef_echonet.py', '1.pth', '--vs', 'ef_echonet.py', '2.pth', '--names', 'one', 'two')
    out = tmp_path / 'work_dirs' / 'clip_consistency'
    one, two = (pd.read_csv(out / name / 'clips.csv') for name in ('one', 'two'))
    assert one.groupby('video')['start'].apply(list).tolist() == [[*range(20)]] * 2
    assert (one['start'] == two['start']).all()
    assert not (one['prediction'] == two['prediction']).any()

    result = json.loads((out / 'clip_consistency.json').read_text())
    spread = one.groupby('video')['prediction'].std().mean()
    assert result['statistics']['one']['within_sd']['estimate'] == pytest.approx(spread, rel=1e-4)
    difference = result['statistics']['difference']['within_sd']['estimate']
    of_two = two.groupby('video')['prediction'].std().mean()
    assert difference == pytest.approx(of_two - spread, rel=1e-3)
    assert result['more_consistent'] is False
    text = (out / 'clip_consistency.md').read_text()
    assert text.startswith('40 clips of 2 recordings')
    assert 'two is not shown to be more consistent than one' in text
    assert text in capsys.readouterr().out
    assert (out / 'clip_consistency.png').stat().st_size > 10_000

    with pytest.raises(SystemExit, match=r'one was ef_echonet\.py 1\.pth'):
        compare('ef_echonet.py', '2.pth', '--names', 'one')
    with pytest.raises(SystemExit, match=r'one was ef_echonet\.py 1\.pth'):
        compare('ef_echonet.py', '1.pth', '--names', 'ours')
    assert (out / 'clip_consistency.md').read_text() == text


def test_all_clips_give_what_single_clips_give(compare, tmp_path):
    """Whether the views are computed at once or in parts."""
    compare('ef_echonet.py', '1.pth', '--out', 'a', '--views', '64')
    compare('ef_echonet.py', '1.pth', '--out', 'b', '--views', '3')
    first, second = (pd.read_csv(f'{name}/first/clips.csv') for name in 'ab')
    pd.testing.assert_frame_equal(first, second, rtol=1e-5)


def test_types_may_be_classes():
    config = Config.fromfile(f'{ROOT}/configs/ef_echonet.py')
    config.test_evaluator.type = EFMetric
    config.test_dataloader.dataset.pipeline[1].type = SampleUniformClips
    take_every_start(config, 3)
    assert config.test_dataloader.dataset.pipeline[1].num_clips == 'all'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('ef_camus.py', '1.pth'), 'its test clips have a fixed start'),
        (('ef_echonet.py', 'none.pth'), 'error: none.pth: no such checkpoint'),
        (('ef_echonet.py', '1.pth', '--names', 'a', 'b'), 'expected 1 different names'),
        (
            ('ef_echonet.py', '1.pth', '--vs', 'ef_echonet.py', '2.pth', '--names', 'a', 'a'),
            'expected 2 different names',
        ),
        (
            ('ef_echonet.py', '1.pth', '--launcher', 'pytorch'),
            '--launcher: this command runs in one',
        ),
        (
            (str(ROOT / 'configs' / 'pretrain_echo.py'), '1.pth'),
            'expected a config whose test_evaluator is EFMetric',
        ),
    ],
)
def test_a_mistake_costs_a_line(compare, arguments, message):
    with pytest.raises(SystemExit) as end:
        compare(*arguments)
    assert message in str(end.value.code)
    assert len(str(end.value.code).splitlines()) == 1
