"""Every config of docs/mixing.md trains as it stands there."""

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner

PAGE = Path(__file__).parents[1] / 'docs' / 'mixing.md'
pytestmark = pytest.mark.xdist_group('mixing')
PRETRAINING = 'Sector mask and denoised target between stock transforms'


def blocks() -> dict[str, list[tuple[str | None, str]]]:
    sections: dict[str, list[tuple[str | None, str]]] = {}
    for section in PAGE.read_text().split('\n## ')[1:]:
        title = section.splitlines()[0]
        found = re.findall(r'(?:<!-- file: (\S+) -->\n)?```python\n(.*?)```', section, re.S)
        if found:
            sections[title] = [(name or None, code) for name, code in found]
    return sections


SECTIONS = blocks()


def train(title: str, folder: Path, work_dir: str) -> Runner:
    for name, code in SECTIONS[title]:
        (folder / (name or 'config.py')).write_text(code)
    config = Config.fromfile(folder / 'config.py')
    config.work_dir = str(folder / work_dir)
    config.experiment_name = title
    config.train_dataloader.num_workers = 0
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.fixture(scope='module')
def workplace(tmp_path_factory, echonet_root):
    """A folder with data/ as the configs name it, and one pretrained checkpoint."""
    folder = tmp_path_factory.mktemp('mixing')
    (folder / 'data' / 'phantom').mkdir(parents=True)
    (folder / 'data' / 'phantom' / 'EchoNet-Dynamic').symlink_to(echonet_root)
    videos = sorted((echonet_root / 'Videos').glob('*.avi'))[:8]
    listing = '\n'.join(f'{video} {number % 2}' for number, video in enumerate(videos))
    (folder / 'data' / 'recordings.txt').write_text(listing)
    generator = np.random.default_rng(0)
    for kind, top in (('images', 256), ('masks', 2)):
        (folder / 'data' / 'frames' / kind).mkdir(parents=True)
        for number in range(6):
            pixels = generator.integers(0, top, (112, 112), dtype=np.uint8)
            cv2.imwrite(str(folder / 'data' / 'frames' / kind / f'{number}.png'), pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        train(PRETRAINING, folder, 'work_dirs/pretrain')
    return folder


def test_the_page_has_the_six_examples():
    assert len(SECTIONS) == 6


@pytest.mark.parametrize('title', [title for title in SECTIONS if title != PRETRAINING])
def test_trains_as_it_stands(title, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    monkeypatch.syspath_prepend(str(workplace))
    runner = train(title, workplace, f'work_dirs/{len(title)}')
    losses = runner.message_hub.get_scalar('train/loss')
    assert runner.iter > 0
    assert np.isfinite(losses.data[0]).all()
    sys.modules.pop('aligned_recognizer', None)


@pytest.mark.parametrize(
    ('title', 'fresh', 'sliced'),
    [
        ('Our encoder under a stock recognizer', {'fc_norm.weight', 'fc_norm.bias'}, ()),
        ('Our encoder in a stock segmentor', set(), ('pos_embed',)),
    ],
)
def test_every_tensor_of_the_encoder_is_accounted_for(title, fresh, sliced, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    (workplace / 'config.py').write_text(SECTIONS[title][0][1])
    config = Config.fromfile(workplace / 'config.py')
    config.work_dir = str(workplace / 'weights')
    config.experiment_name = f'weights of {title}'
    config.train_dataloader.num_workers = 0
    runner = Runner.from_cfg(config)
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
        expected = saved[name][:, : ours[name].shape[1]] if name in sliced else saved[name]
        assert torch.equal(ours[name], expected), name
