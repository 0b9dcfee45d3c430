"""The demo's pretraining and fine-tunings learn: each beats what needs no learning."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from echocardmae_mm.cli.train import use_mixed_precision
from echocardmae_mm.datasets import EchoNetSegDataset
from echocardmae_mm.datasets.tracing import tracing_mask

ROOT = Path(__file__).parents[1]
BASELINES = ('train_mean', 'copy_space', 'copy_time', 'copy_spacetime')
VIDEOS = 480
EPOCHS = 16  # of pretraining; the demo takes 24
CPU = Path('/proc/cpuinfo')

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group('demo')]


def saves_a_fifth(metrics: dict[str, float]) -> bool:
    """Whether the error is 20 % below each baseline's, its interval above 0."""
    return all(
        metrics[f'reconstruction/reduction_{name}'] >= 0.2
        and metrics[f'reconstruction/reduction_{name}_low'] > 0
        for name in BASELINES
    )


def demo_config(name: str, folder: Path, **options: object) -> Config:
    """A config of the demo on recordings of its own."""
    config = Config.fromfile(ROOT / 'configs' / 'phantom' / f'{name}_phantom.py')
    config.work_dir = str(folder / name)
    config.experiment_name = name
    data = {
        'data_root': str(folder / 'phantom' / 'EchoNet-Dynamic'),
        'packed': str(folder / 'packed'),
    }
    if CPU.exists() and 'amx_bf16' in CPU.read_text():  # As in the demo.
        use_mixed_precision(config)
    loaders = [config[f'{part}_dataloader'] for part in ('train', 'val', 'test')]
    for loader in loaders:  # Workers change no result, and here they would share busy cores.
        loader.update(num_workers=0, persistent_workers=False)
    datasets = [loader.dataset for loader in loaders]
    datasets += [config.test_evaluator.mean_of] if 'mean_of' in config.test_evaluator else []
    datasets += [hook.dataset for hook in config.custom_hooks if 'dataset' in hook]
    for dataset in datasets:
        dataset.update(data)
    config.merge_from_dict(options)
    return config


@pytest.fixture(scope='module')
def folder(command, tmp_path_factory) -> Path:
    """Phantoms other than the demo's, and their store."""
    folder = tmp_path_factory.mktemp('demo')
    phantoms = folder / 'phantom'
    size = ['--videos', str(VIDEOS), '--seed', '3', '--datasets', 'echonet']
    for words in (
        ['phantoms', '--out', phantoms, *size],
        ['pack', phantoms / 'EchoNet-Dynamic', '--out', folder / 'packed'],
    ):
        done = command(*words)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope='module')
def pretrained(folder) -> Runner:
    options = {
        'train_cfg.max_epochs': EPOCHS,
        'train_cfg.val_interval': 1000,
    }
    runner = Runner.from_cfg(demo_config('pretrain', folder, **options))
    runner.train()
    return runner


def test_pretraining_learns_and_through_its_encoder(pretrained):
    assert saves_a_fifth(pretrained.test())
    pretrained.model.neck.encoder_to_decoder.weight.data.zero_()
    assert not saves_a_fifth(pretrained.test())


def test_ejection_fraction_is_learned_from_the_encoder(pretrained, folder):
    options = {
        'model.backbone.init_cfg.checkpoint': str(folder / 'pretrain' / f'epoch_{EPOCHS}.pth'),
        'test_dataloader.dataset.split': ('val', 'test'),
        'train_cfg.max_epochs': 140,  # 1,540 steps; the demo takes 1,440 of 800 phantoms
        'train_cfg.val_interval': 1000,
    }
    runner = Runner.from_cfg(demo_config('ef', folder, **options))
    runner.train()
    metrics = runner.test()
    assert metrics['ef/n'] == VIDEOS / 4
    assert metrics['ef/mae_ratio'] < 0.9
    assert metrics['ef/mae_ratio_high'] < 1
    assert metrics['ef/r_low'] > 0.3


def masks(folder: Path, *splits: str) -> np.ndarray:
    """Traced ventricles, bool of shape (n, 112, 112)."""
    root = str(folder / 'phantom' / 'EchoNet-Dynamic')
    frames = EchoNetSegDataset(data_root=root, split=splits)
    infos = [frames.get_data_info(index) for index in range(len(frames))]
    return np.stack([tracing_mask(i['masks'][i['frame']], (112, 112)) for i in infos]) > 0


def test_the_ventricle_is_outlined_better_than_by_the_mean_mask(pretrained, folder):
    checkpoint = str(folder / 'pretrain' / f'epoch_{EPOCHS}.pth')
    options = {
        'model.backbone.init_cfg.checkpoint': checkpoint,
        'model.decode_head.init_cfg.checkpoint': checkpoint,
        'test_dataloader.dataset.split': ('val', 'test'),
        'train_cfg.max_epochs': 30,
        'train_cfg.val_interval': 1000,
    }
    runner = Runner.from_cfg(demo_config('seg', folder, **options))
    runner.train()
    metrics = runner.test()
    assert metrics['seg/n'] == VIDEOS / 2
    mean_mask, held_out = masks(folder, 'train').mean(0) > 0.5, masks(folder, 'val', 'test')
    by_mean = 2 * (held_out & mean_mask).sum() / (held_out.sum() + mean_mask.sum() * len(held_out))
    assert by_mean + 0.1 < metrics['seg/dice_pooled_low']
    assert metrics['seg/dice_pooled'] > 0.88
