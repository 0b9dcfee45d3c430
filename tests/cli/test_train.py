"""The command ``train``: its flags and errors; test_resume.py resumes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from echocardmae_mm.cli import train as command
from echocardmae_mm.cli.configuration import load_config
from echocardmae_mm.utils.errors import UserError

ROOT = Path(__file__).parents[2]
TRAIN = ROOT / 'tools' / 'train.py'
TINY = str(ROOT / 'tests' / 'engine' / 'tiny_pretraining.py')


@pytest.fixture
def train(monkeypatch, tmp_path):
    """``train(*arguments)`` trains in a folder of its own; returns what the command exits with."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            command.main(arguments)
        return end.value.code

    return run


@pytest.fixture
def videos(make_video, tmp_path):
    """The recordings that the config looks for."""
    folder = tmp_path / 'recordings'
    return [make_video(folder / f'{name}.avi', num_frames=8) for name in 'abc']


@pytest.fixture
def merged():
    """``merged(*arguments)`` is the config that would be trained."""

    def merge(*arguments, config=TINY):
        args = command.parse_args([config, *arguments])
        loaded = load_config(args.config, args.work_dir)
        command.merge(loaded, args)
        return loaded

    return merge


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nothing.py'], 'error: nothing.py: no such config'),
        ([TINY, '--cfg-options', 'a'], 'error: --cfg-options a: expected key=value'),
        (
            [TINY, '--cfg-options', 'pipeline.99.type=X'],
            'error: --cfg-options: Index 99 exceeds the length',
        ),
        ([TINY, '--resume', 'a.pth'], 'error: --resume a.pth: no such checkpoint'),
        ([TINY, '--cfg-options', 'data_root=/my data'], 'error: --cfg-options data_root=/my data'),
        (
            [str(ROOT / 'configs/_base_/runtime_mmaction.py')],
            f'error: {ROOT}/configs/_base_/runtime_mmaction.py: defines no model',
        ),
        (
            [TINY, '--amp', '--cfg-options', 'optim_wrapper.type=Foo', 'data_root=.'],
            'error: .: contains no recording',
        ),
    ],
)
def test_a_mistake_costs_one_line(train, arguments, message):
    code = train(*arguments)
    assert code.startswith(message)
    assert len(code.splitlines()) <= 2


def test_a_loss_that_became_nan_ends_training(train, videos):
    code = train(TINY, '--cfg-options', 'optim_wrapper.optimizer.lr=1e30')
    assert code.startswith('error: the loss is NaN or infinite since iteration ')
    assert len(code.splitlines()) == 2


def test_a_setting_that_no_component_takes_is_named(train, videos):
    code = train(TINY, '--cfg-options', '+default_hooks.timer.sped=3')
    assert code.startswith('error: ')
    assert "unexpected keyword argument 'sped'\nCheck the name" in code


def test_an_unknown_type_is_named(train, videos):
    code = train(TINY, '--cfg-options', 'model.type=NoSuchModel')
    assert code == 'error: NoSuchModel is not in the mmaction::model registry'


def test_a_config_in_text_style_may_give_classes(monkeypatch, videos, tmp_path):
    monkeypatch.chdir(tmp_path)
    lines = [
        f"_base_ = '{TINY}'",
        'from echocardmae_mm.models import EchoCardMAE',
        'model = dict(type=EchoCardMAE)',
        'train_cfg = dict(max_epochs=2)',
    ]
    (tmp_path / 'mine.py').write_text('\n'.join(lines))
    command.main(['mine.py'])
    assert (tmp_path / 'work_dirs' / 'mine' / 'last_checkpoint').is_file()


@pytest.mark.parametrize('workers', [0, 1])
def test_a_recording_that_ends_the_run_is_named(train, videos, workers):
    videos[1].write_bytes(b'')
    code = train(
        TINY,
        '--cfg-options',
        'train_dataloader.dataset.test_mode=True',
        f'train_dataloader.num_workers={workers}',
    )
    assert code.startswith('error: recordings/b.avi: ')
    assert len(code.splitlines()) == 1


def test_without_the_data_set_exactly_two_lines():
    result = subprocess.run(
        [sys.executable, TRAIN, ROOT / 'configs' / 'pretrain_echo.py'],
        cwd='/',
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    assert result.returncode == 1
    assert result.stdout == ''
    first, second = result.stderr.splitlines()
    assert first.startswith('error: data/EchoNet-Dynamic/FileList.csv: not found')
    assert 'phantoms' in second


@pytest.mark.parametrize(
    ('config', 'work_dir'),
    [
        (ROOT / 'configs/pretrain_echo.py', 'work_dirs/pretrain_echo'),
        (ROOT / 'configs/release/pretrain_echo.py', 'work_dirs/release/pretrain_echo'),
        (ROOT / 'configs/phantom/pretrain_phantom.py', 'work_dirs/phantom/pretrain_phantom'),
        (TINY, 'work_dirs/tiny_pretraining'),
    ],
)
def test_each_config_has_a_work_dir_of_its_own(merged, config, work_dir):
    assert merged(config=str(config)).work_dir == work_dir
    assert merged('--work-dir', 'mine', config=str(config)).work_dir == 'mine'
    with pytest.raises(UserError, match='--work-dir: expected a folder'):
        merged('--work-dir', '', config=str(config))


def test_flags_reach_the_config(merged):
    config = merged(
        '--seed=5', '--diff-rank-seed', '--no-validate', '--auto-scale-lr', '--cfg-options',
        'train_cfg.max_epochs=7', config=str(ROOT / 'configs/pretrain_echo.py'),
    )  # fmt: skip
    assert config.randomness == dict(seed=5, diff_rank_seed=True)
    assert config.val_dataloader is config.val_cfg is config.val_evaluator is None
    assert config.auto_scale_lr == dict(enable=True, base_batch_size=64)
    assert config.train_cfg.max_epochs == 7


def test_flags_reach_a_config_that_is_silent_about_them(merged, tmp_path):
    silent = tmp_path / 'silent.py'
    silent.write_text("model = dict(type='x')\noptim_wrapper = dict(optimizer=dict(type='SGD'))\n")
    assert 'randomness' not in merged(config=str(silent))
    assert merged('--seed', '3', config=str(silent)).randomness.seed == 3
    assert merged('--diff-rank-seed', config=str(silent)).randomness.seed is None
    with pytest.raises(UserError, match='does not name the batch size'):
        merged('--auto-scale-lr', config=str(silent))
    scaled = merged('--auto-scale-lr', '--cfg-options', 'auto_scale_lr.base_batch_size=8')
    assert scaled.auto_scale_lr.enable


def test_a_pattern_names_the_only_checkpoint_that_it_matches(merged, tmp_path):
    pattern = str(tmp_path / 'best_ef_mae_epoch_*.pth')
    options = ['--cfg-options', f'load_from={pattern}', 'model.backbone.init_cfg.type=Pretrained']
    options += [f'model.backbone.init_cfg.checkpoint={pattern}']
    with pytest.raises(UserError, match=r'load_from=.* matches 0 files, expected one\nTrain that'):
        merged(*options)
    best = tmp_path / 'best_ef_mae_epoch_7.pth'
    best.touch()
    config = merged(*options)
    assert config.load_from == config.model.backbone.init_cfg.checkpoint == str(best)
    (tmp_path / 'best_ef_mae_epoch_9.pth').touch()
    with pytest.raises(UserError, match='matches 2 files'):
        merged(*options)


def test_another_run_is_not_overwritten(merged, tmp_path):
    work_dir = '--work-dir', str(tmp_path)
    merged(*work_dir)
    torch.save({'state_dict': {}}, tmp_path / 'weights.pth')
    with pytest.raises(UserError, match='holds the checkpoints of another run\nPass --resume'):
        merged(*work_dir)
    with pytest.raises(UserError, match='holds weights only'):
        merged(*work_dir, '--resume', str(tmp_path / 'weights.pth'))
    assert not merged(*work_dir, '--resume').resume


def test_two_trainings_do_not_share_a_folder(train, videos, tmp_path, training_elsewhere):
    part = tmp_path / 'run' / 'epoch_1.pth.part'
    training_elsewhere(part.parent)
    part.touch()
    for resume in ([], ['--resume']):
        code = train(TINY, '--work-dir', 'run', *resume)
        assert code.startswith('error: run: another training is running in it\n')
        assert part.exists()


def test_what_no_flag_says_stays(merged):
    assert merged().randomness == Config.fromfile(TINY).randomness
    assert merged('--deterministic', '--seed=1').randomness == dict(seed=1, deterministic=True)


@pytest.mark.parametrize('before', ['OptimWrapper', 'AmpOptimWrapper'])
def test_mixed_precision(monkeypatch, before):
    monkeypatch.setattr(command, 'NO_GPU', True)
    config = Config.fromfile(TINY)
    config.optim_wrapper.update(type=before, loss_scale='dynamic')
    command.use_mixed_precision(config)
    assert config.optim_wrapper.type == 'echocardmae_mm.CPUAmpOptimWrapper'
    assert set(config.optim_wrapper) == {'type', 'optimizer'}


@pytest.fixture
def in_classes(merged, tmp_path):
    """``in_classes(*arguments)`` merges into a pretraining config in pure Python style."""
    path = tmp_path / 'in_classes.py'
    path.write_text(
        'from echocardmae_mm.engine import CompileHook\n'
        'from echocardmae_mm.models import EchoCardMAE, MaskedVisionTransformer\n'
        'from mmengine.model import PretrainedInit\n'
        'from mmengine.optim import OptimWrapper\n'
        'start = dict(type=PretrainedInit, checkpoint="gone.pth")\n'
        'model = dict(type=EchoCardMAE, backbone=dict(type=MaskedVisionTransformer, '
        'init_cfg=start))\n'
        'optim_wrapper = dict(type=OptimWrapper, accumulative_counts=2)\n'
        'custom_hooks = [dict(type=CompileHook, mode="default")]\n'
    )
    return lambda *arguments: merged(*arguments, config=str(path))


def test_types_may_be_classes(in_classes, monkeypatch):
    monkeypatch.setattr(command, 'NO_GPU', True)
    config = in_classes('--amp', '--compile')
    assert config.optim_wrapper.type == 'echocardmae_mm.CPUAmpOptimWrapper'
    assert config.custom_hooks == [dict(type='echocardmae_mm.CompileHook', mode='default')]
    with pytest.raises(UserError, match='max-autotune does not support accumulative_counts'):
        in_classes('--cfg-options', 'custom_hooks.0.mode=max-autotune')
    command.drop_missing_pretrained(config)
    assert config.model.backbone.init_cfg is None
    missing = dict(type='Pretrained', checkpoint='missing.pth')
    config.model.backbone.init_cfg = [missing, dict(type='Xavier', layer='Linear')]
    command.drop_missing_pretrained(config)
    assert config.model.backbone.init_cfg is None


def test_mixed_precision_refuses_what_it_does_not_know():
    config = Config.fromfile(TINY)
    config.optim_wrapper.type = 'ApexOptimWrapper'
    with pytest.raises(UserError, match='--amp does not support'):
        command.use_mixed_precision(config)


@pytest.mark.parametrize(('capability', 'dtype'), [((9, 0), 'bfloat16'), ((7, 5), None)])
def test_mixed_precision_is_bfloat16_where_the_gpu_has_it(monkeypatch, capability, dtype):
    monkeypatch.setattr(command, 'NO_GPU', False)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: capability)
    config = Config.fromfile(TINY)
    command.use_mixed_precision(config)
    assert config.optim_wrapper.type == 'AmpOptimWrapper'
    assert config.optim_wrapper.get('dtype') == dtype


def test_compilation_is_for_the_pretraining_model(merged):
    hook = dict(type='echocardmae_mm.CompileHook', mode='default')
    assert merged('--compile').custom_hooks == [hook]
    assert merged('--compile', 'reduce-overhead').custom_hooks == [
        hook | {'mode': 'reduce-overhead'}
    ]
    assert not merged().custom_hooks
    with pytest.raises(UserError, match='--compile supports'):
        command.compile_model(Config(dict(model=dict(type='Recognizer3D'))), 'default')


@pytest.mark.parametrize('mode', ['reduce-overhead', 'max-autotune'])
def test_cuda_graphs_exclude_accumulated_gradients(merged, mode):
    options = '--cfg-options', 'optim_wrapper.accumulative_counts=4'
    with pytest.raises(UserError, match=f'{mode} does not support accumulative_counts'):
        merged('--compile', mode, *options)
    merged('--compile', *options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_mixed_precision_on_a_gpu_is_bfloat16_without_loss_scaling(merged):
    wrapper = merged('--amp').optim_wrapper
    assert (wrapper.type, wrapper.dtype) == ('AmpOptimWrapper', 'bfloat16')
    assert wrapper.loss_scale == dict(enabled=False)
