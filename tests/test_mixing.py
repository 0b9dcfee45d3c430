"""Every config of docs/mixing.md trains as it stands there, and in pure Python style."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import Registry, root
from mmengine.runner import CheckpointLoader, FlexibleRunner, Runner
from mmseg.visualization import SegLocalVisualizer

from echocardmae_mm.cli import test as test_command
from echocardmae_mm.cli import train as command
from echocardmae_mm.cli.configuration import build_runner, load_config

PAGE = Path(__file__).parents[1] / 'docs' / 'mixing.md'
pytestmark = pytest.mark.xdist_group('mixing')
PRETRAINING = 'Sector mask and denoised target between stock transforms'
SLOWFAST = 'SlowFast for the ejection fraction, with three crops'
SEGFORMER = 'SegFormer with test-time augmentation'
PURE_PYTHON = 'Pure Python style'
FLEXIBLE = 'EMA, layer-wise decay and FlexibleRunner'
SMALL = ['train_dataloader.batch_size=2', 'train_dataloader.dataset.indices=2']
SHORT_CLIPS = ['train_dataloader.dataset.pipeline.1.clip_len=4']
SMALLER = {
    'Our data set under a stock recognizer': SHORT_CLIPS,
    'The alignment loss on a stock model': SHORT_CLIPS,
    SLOWFAST: [
        'model.backbone.slow_pathway.depth=18',
        'model.backbone.fast_pathway.depth=18',
        'model.cls_head.in_channels=576',
        'train_dataloader.dataset.pipeline.1.clip_len=8',
        'val_dataloader.dataset.pipeline.1.clip_len=8',
        'val_dataloader.dataset.pipeline.1.num_clips=1',
    ],
}
REGISTRIES = [value for value in vars(root).values() if isinstance(value, Registry)]


def blocks() -> dict[str, list[tuple[str, str]]]:
    sections: dict[str, list[tuple[str, str]]] = {}
    for section in PAGE.read_text().split('\n## ')[1:]:
        title = section.splitlines()[0]
        found = re.findall(r'(?:<!-- file: (\S+) -->\n)?```python\n(.*?)```', section, re.S)
        if found:
            sections[title] = [(name or 'config.py', code) for name, code in found]
    return sections


SECTIONS = blocks()


def in_classes(config: Config) -> str:
    """The same config in pure Python style: types that are registered become classes."""
    scope = config.get('default_scope')
    classes: dict[str, type] = {}

    def class_of(name: str) -> type | None:
        for full in [name] if '.' in name else [f'{scope}.{name}', name]:
            for registry in REGISTRIES:
                with suppress(ImportError):  # some registries of the hosts name missing modules
                    if isinstance(found := registry.get(full), type):
                        return found
        return None

    def code(node: Any) -> str:
        if isinstance(node, dict):
            items = {key: code(value) for key, value in node.items() if key != '_scope_'}
            if isinstance(node.get('type'), str) and (kind := class_of(node['type'])):
                classes[kind.__name__] = kind
                items['type'] = kind.__name__
            return f'{{{", ".join(f"{key!r}: {text}" for key, text in items.items())}}}'
        if isinstance(node, (list, tuple)):
            return f'{type(node).__name__}([{", ".join(map(code, node))}])'
        return repr(node)

    lines = [
        f'{key} = {code(value)}'
        for key, value in config._cfg_dict.to_dict().items()
        if key != 'custom_imports'
    ]
    imports = [f'from {kind.__module__} import {name}' for name, kind in classes.items()]
    return '\n'.join([*imports, *lines, ''])


def runner_of(title: str, folder: Path, work_dir: Path, style: str = 'text') -> Runner:
    """What ``echocardmae train`` builds from a block."""
    path = folder / SECTIONS[title][-1][0]
    path.write_text(SECTIONS[title][-1][1])
    if style == 'classes':
        text = in_classes(Config.fromfile(path))
        path = folder / 'classes.py'
        path.write_text(text)
    options = ['--cfg-options', *SMALL, *SMALLER.get(title, ())]
    args = command.parse_args([str(path), f'--work-dir={work_dir}', *options])
    config = load_config(args.config, args.work_dir)
    command.merge(config, args)
    config.experiment_name = f'{title} {work_dir}'
    for part in ('train', 'val', 'test'):
        if loader := config.get(f'{part}_dataloader'):
            loader.num_workers = 0
    return build_runner(config, 'train_dataloader', 'val_dataloader')


def train(runner: Runner) -> None:
    """Train, and check the losses."""
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss')
    assert runner.iter > 0
    assert np.isfinite(losses.data[0]).all()


@pytest.fixture(scope='module')
def workplace(tmp_path_factory, echonet_root):
    """A folder with data/ as the configs name it, and one pretrained checkpoint."""
    folder = tmp_path_factory.mktemp('mixing')
    (folder / 'data' / 'phantom').mkdir(parents=True)
    (folder / 'data' / 'phantom' / 'EchoNet-Dynamic').symlink_to(echonet_root)
    videos = sorted((echonet_root / 'Videos').glob('*.avi'))[:8]
    listing = '\n'.join(f'{video} {number % 2}' for number, video in enumerate(videos))
    (folder / 'data' / 'recordings.txt').write_text(listing)
    for name, block in [block for section in SECTIONS.values() for block in section]:
        (folder / name).write_text(block)
    generator = np.random.default_rng(0)
    for kind, top in (('images', 256), ('masks', 2)):
        (folder / 'data' / 'frames' / kind).mkdir(parents=True)
        for number in range(6):
            pixels = generator.integers(0, top, (112, 112), dtype=np.uint8)
            cv2.imwrite(str(folder / 'data' / 'frames' / kind / f'{number}.png'), pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train(runner_of(PRETRAINING, folder, folder / 'work_dirs' / 'pretrain'))
    return folder


@pytest.fixture
def prepare(workplace, tmp_path, monkeypatch):
    """``prepare(title, style)`` gives the runner of a block."""
    monkeypatch.chdir(workplace)
    monkeypatch.syspath_prepend(str(workplace))
    yield lambda title, style='text': runner_of(title, workplace, tmp_path, style)
    if sys.modules.pop('aligned_recognizer', None):
        MODELS.module_dict.pop('AlignedRecognizer')
    SegLocalVisualizer._instance_dict.clear()  # its configs give it the same name in each run


def test_the_page_has_ten_examples():
    assert len(SECTIONS) == 10


@pytest.mark.parametrize(
    ('title', 'style'),
    # The fixture trains PRETRAINING, and tests below the other two.
    [(title, 'text') for title in SECTIONS if title not in (PRETRAINING, FLEXIBLE)]
    + [(title, 'classes') for title in SECTIONS if title not in (PURE_PYTHON, SEGFORMER)],
)
def test_trains(title, style, prepare):
    train(prepare(title, style))


@pytest.mark.parametrize(
    ('title', 'fresh', 'frames'),
    [
        ('Our encoder under a stock recognizer', {'fc_norm.weight', 'fc_norm.bias'}, False),
        ('Our encoder in a stock segmentor', set(), True),
    ],
)
def test_every_tensor_of_the_encoder_is_accounted_for(title, fresh, frames, prepare):
    runner = prepare(title)
    runner._init_model_weights()
    checkpoint = CheckpointLoader.load_checkpoint('work_dirs/pretrain/epoch_1.pth')
    saved = {
        name.removeprefix('backbone.'): tensor
        for name, tensor in checkpoint['state_dict'].items()
        if name.startswith('backbone.')
    }
    ours = runner.model.backbone.state_dict()
    assert set(ours) - set(saved) == fresh
    for name in set(ours) & set(saved):
        expected = saved[name]
        if frames and name == 'pos_embed':
            expected = expected[:, : ours[name].shape[1]]
        if frames and name == 'patch_embed.projection.weight':
            expected = (expected[:, :, 0] + expected[:, :, 1])[:, :, None]
        assert torch.equal(ours[name], expected), name


def test_flexible_runner_ema_and_decay_take_effect(prepare):
    runner = prepare(FLEXIBLE)
    train(runner)
    assert type(runner) is FlexibleRunner
    rates = [group['lr'] for group in runner.optim_wrapper.param_groups]
    assert max(rates) == pytest.approx(1e-4)
    assert min(rates) == pytest.approx(1e-4 * 0.75**3)
    averaged = CheckpointLoader.load_checkpoint(f'{runner.work_dir}/epoch_1.pth')
    assert 'ema_state_dict' in averaged


def test_segformer_with_test_time_augmentation(prepare, tmp_path):
    train(prepare(SEGFORMER, 'classes'))
    options = ['--cfg-options', 'test_dataloader.num_workers=0']
    for flags in ([], ['--tta']):
        work_dir = tmp_path / f'test{len(flags)}'
        arguments = ['classes.py', f'{tmp_path}/iter_4.pth', f'--work-dir={work_dir}', *flags]
        test_command.main([*arguments, *options])
    plain, augmented = (
        json.loads((tmp_path / name / 'test.json').read_text())['metrics']
        for name in ('test0', 'test1')
    )
    assert plain['seg/n'] == augmented['seg/n'] == 4
    assert plain['seg/ED/dice_mean'] != augmented['seg/ED/dice_mean']
