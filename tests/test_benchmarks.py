"""The benchmarks run on small sizes, and all of their results but the times are correct."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import MODELS

from echocardmae_mm.evaluation.conformal import ConformalInterval

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / 'tools' / 'benchmarks'
TINY = ['model.backbone.depth=1', 'model.neck.depth=1']


@pytest.fixture
def benchmark(monkeypatch, capsys):
    """Run a benchmark in this process; what it printed."""

    def run(name: str, *arguments: str) -> str:
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        monkeypatch.setattr(sys, 'argv', [name, *arguments])
        sys.modules.pop(name, None)
        __import__(name).__dict__['main']()
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize('name', ['pretrain_echo.py', 'release/pretrain_echo.py'])
def test_a_step_has_the_losses_and_gradients_of_the_baseline(benchmark, name):
    config = str(ROOT / 'configs' / name)
    settings = [*TINY, 'model.patch_size=16']
    printed = benchmark(
        'step', config, '--batch', '2', '--rounds', '2', '--amp', '--cfg-options', *settings
    )
    differences = re.search(r'losses differ by (\S+), the gradient by (\S+)', printed).groups()
    assert max(map(float, differences)) < 1e-5
    assert re.search(r'released style / float32: [\d.]+ \[[\d.]+, [\d.]+\]', printed)
    assert 'float32 / mixed precision' in printed


@pytest.mark.parametrize('name', ['step', 'activations', 'mask_smoothness'])
def test_a_config_of_another_task_is_refused(benchmark, name):
    with pytest.raises(SystemExit, match='Recognizer3D; expected a pretraining'):
        benchmark(name, str(ROOT / 'configs/ef_echonet.py'))


def test_fused_attention_and_checkpointed_blocks_keep_less(benchmark):
    printed = benchmark(
        'activations',
        str(ROOT / 'configs/pretrain_echo.py'),
        '--batch',
        '2',
        '--cfg-options',
        'model.backbone.depth=1',
    )
    kept = [float(number) for number in re.findall(r'([\d.]+) GB', printed)]
    for released, ours, checkpointed in (kept[::2], kept[1::2]):
        assert released > ours > checkpointed > 0
    assert all(low < high for high, low in zip(kept[::2], kept[1::2]))


def test_key_area_masking_is_timed_against_the_whole_frame(benchmark):
    config = str(ROOT / 'configs/pretrain_echo.py')
    printed = benchmark(
        'step', config, '--key-area', '--batch', '2', '--rounds', '2', '--cfg-options', *TINY
    )
    assert re.search(r'whole frame / key area: [\d.]+ \[', printed)


def test_the_cost_of_peers_is_counted_and_timed(benchmark, echonet_root, tmp_path):
    test = {'config': 'configs/ef_echonet.py', 'metrics': {'ef/mae': 6.5}}
    (tmp_path / 'test.json').write_text(json.dumps(test))
    printed = benchmark(
        'peers',
        *(str(ROOT / 'configs' / name) for name in ('ef_echonet.py', 'seg_echonet.py')),
        *('--rounds', '2', '--batch', '2', '--picture', str(tmp_path / 'cost.svg')),
        *('--tests', str(tmp_path / 'test.json')),
        *('--cfg-options', f'data_root={echonet_root}', 'model.backbone.depth=1'),
    )
    ef, seg = (
        [cell.strip() for cell in re.search(rf'^\| {name} .*', printed, re.MULTILINE)[0].split('|')]
        for name in ('ef_echonet', 'seg_echonet')
    )
    config = Config.fromfile(ROOT / 'configs/ef_echonet.py')
    config.model.backbone.depth, config.model.backbone.init_cfg = 1, None
    model = MODELS.build(config.model)
    assert float(ef[2]) == pytest.approx(sum(p.numel() for p in model.parameters()) / 1e6, abs=0.05)
    # One block of five clips of 392 tokens, 384 wide: qkv, attention, projection, MLP, and patches.
    tokens, width = 8 * 49, 384
    block = tokens * 12 * width**2 + 2 * tokens**2 * width
    patches = tokens * width * 3 * 2 * 16 * 16
    assert float(ef[3]) == pytest.approx(5 * (block + patches) / 1e9, abs=0.1)
    assert ef[5].endswith('(5)')
    assert seg[5].endswith('(1)')
    picture = (tmp_path / 'cost.svg').read_text()
    assert 'MAE on phantoms' in picture
    assert 'ef_echonet' in picture
    assert 'seg_echonet' not in picture


def test_a_step_in_mixed_precision_is_timed_with_each_patch_embedding(benchmark, echonet_root):
    printed = benchmark(
        'mixed_precision',
        str(ROOT / 'configs/phantom/ef_phantom.py'),
        *('--batch', '2', '--rounds', '2', '--cfg-options', f'data_root={echonet_root}'),
        *('model.cls_head.mean=50', 'model.cls_head.std=10'),
    )
    rows = re.findall(r'\| ([\w, ]+) \| +\d+ ms \| +([\d.]+) \[', printed)
    assert [name.rstrip() for name, _ in rows] == [
        'float32', 'mixed precision', 'mixed precision, convolution',
    ]  # fmt: skip
    assert all(float(ratio) > 0 for _, ratio in rows)


def test_samples_are_prepared_by_each_way(benchmark, echonet_root, echonet_store):
    printed = benchmark(
        'loader',
        str(ROOT / 'configs/pretrain_echo.py'),
        *('--packed', str(echonet_store), '--rounds', '2', '--batches', '1'),
        *('--cfg-options', f'data_root={echonet_root}', 'train_dataloader.batch_size=2'),
    )
    for source in ('files', 'store'):
        for measure in ('pipeline', 'loader', 'device'):
            assert re.search(rf'^{source}, {measure}: [\d.]+ ms per sample', printed, re.MULTILINE)


def test_the_runner_is_timed_late_in_a_run(benchmark):
    printed = benchmark('runner_overhead', '--rounds', '1', '--iterations', '500', '1000')
    assert re.search(r'ours .* ms .* ms', printed)


def test_a_schedule_is_predicted_from_the_log(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import schedule

    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'run.log').write_text(
        '2026/11/25 23:59:50 - mmengine - INFO - Epoch(train)  [1][20/30]  lr: 1.0e-04\n'
        '2026/11/25 23:59:55 - mmengine - INFO - Saving checkpoint at 1 epochs\n'
        '2026/11/26 00:00:05 - mmengine - INFO - Epoch(train)  [2][10/30]  lr: 1.0e-04\n'
        '2026/11/26 00:00:10 - mmengine - INFO - Epoch(val) [2][4/4]  mse: 1.0\n'
    )
    first, last = schedule.read_progress(tmp_path)
    assert (last.when - first.when).total_seconds() == 15
    assert (first.done, last.done, last.epoch) == (20, 40, 30)


def test_a_schedule_has_as_many_epochs_as_the_command_says(benchmark, echonet_root, echonet_store):
    # So many that the log, which tells whole seconds, shows their pace on any machine.
    printed = benchmark(
        'schedule',
        str(ROOT / 'configs/phantom/pretrain_phantom.py'),
        *('--minutes', '5', '--no-validate', '--cfg-options', f'data_root={echonet_root}'),
        *(f'packed={echonet_store}', 'train_cfg.max_epochs=15', 'default_hooks.logger.interval=1'),
        *('train_dataloader.batch_size=2', *TINY),
    )
    assert re.search(r'predicted: [\d.]+ hours for 15 epochs', printed)


def test_a_repeated_store_has_the_pixels_of_the_originals(
    benchmark, echonet_root, echonet_store, tmp_path
):
    from echocardmae_mm.datasets import EchoNetDynamicDataset

    out = tmp_path / 'repeated'
    arguments = str(echonet_root), str(echonet_store), '--videos', '20', '--out', str(out)
    assert '20 names of 8 recordings' in benchmark('repeated_store', *arguments)
    pipeline = [
        dict(type='echocardmae_mm.RecordingInit'),
        dict(type='echocardmae_mm.SampleUniformClips', clip_len=2, frame_interval=4),
        dict(type='echocardmae_mm.RecordingDecode'),
    ]
    many = EchoNetDynamicDataset(
        str(out / 'data'), 'train', packed=str(out / 'store'), pipeline=pipeline, test_mode=True
    )
    few = EchoNetDynamicDataset(str(echonet_root), pipeline=pipeline, test_mode=True)
    assert len(many) == 20
    for index in (0, 9):
        ours, theirs = many[index]['imgs'], few[index % 8]['imgs']
        assert all((a == b).all() for a, b in zip(ours, theirs))
    with pytest.raises(SystemExit, match='exists already'):
        benchmark('repeated_store', *arguments)


def test_the_gate_is_rated_on_each_kind(monkeypatch, capsys, bundles):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import gate

    kinds = {kind: gate.KINDS[kind] for kind in ('12 frames', 'two-chamber view, stated')}
    monkeypatch.setattr(gate, 'KINDS', kinds)
    monkeypatch.setattr(sys, 'argv', ['gate', str(bundles['seg']), '--bad', '1'])
    gate.main()
    printed = capsys.readouterr().out
    assert re.search(r'^\| 12 frames +\| +1 \| 100 \[21, 100\] \| ', printed, re.MULTILINE)
    for kind, flag in (('12 frames', 'too_short'), ('two-chamber view, stated', 'view')):
        assert re.search(rf'^\| {kind} +\|.*`{flag}` 100 \[21, 100\]', printed, re.MULTILINE)


def test_runtimes_measure_the_same_recordings_in_turn(benchmark, recordings, monkeypatch):
    pytest.importorskip('onnxscript')
    pytest.importorskip('onnxruntime')
    from echocardmae_mm.apis.example import BUNDLES

    printed = benchmark(
        'predict',
        *(str(recordings['echonet'].parent), '--bundle', str(BUNDLES[0]), '--alone', '0'),
        *('--runtimes', 'torch', 'onnx', 'int8'),
    )
    assert 'n=2' in printed
    for name in ('onnx', 'int8'):
        row = rf'^\| {name} +\| +[\d.]+ s \| +[\d.]+ \[[\d.]+, [\d.]+\] \| +([\d.]+) \|'
        (differs, _) = re.findall(row, printed, re.MULTILINE)
        assert float(differs) < 0.5


def test_a_row_of_coverage_counts_what_lies_inside(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import interval_coverage

    pairs = np.array([[50.0, 52.0], [60.0, 75.0], [40.0, 41.0]])
    grouped = ConformalInterval(0.9, [55.0], [5.0, 0.0], [5.0, 40.0], 60)
    one_width = interval_coverage.one_width(np.zeros(9), np.arange(2.0, 11.0))
    row = interval_coverage.row_of('some', pairs, [grouped, one_width])
    assert row[:4] == ('some', 3, '6.0', '-6.0')
    assert row[4:6] == ('100 [44, 100]', '20.0')
    assert row[6:] == ('67 [21, 94]', '20.0')
