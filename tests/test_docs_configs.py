"""Every block and command of docs/configs.md trains, at reduced depth."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from echocardmae_mm.cli.train import main

ROOT = Path(__file__).parents[1]
SECTIONS = {
    section.splitlines()[0]: section
    for section in (ROOT / 'docs' / 'configs.md').read_text().split('\n## ')[1:]
}
PYTHON = {
    title: block[1]
    for title, section in SECTIONS.items()
    if (block := re.search(r'```python\n(.*?)```', section, re.S))
}
SHELL = {
    title: block[1].replace('\\\n', ' ')
    for title, section in SECTIONS.items()
    if (block := re.search(r'```bash\n(.*?)```', section, re.S))
}
SMALL = [
    'model.backbone.depth=1',
    'model.neck.depth=1',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_cfg.max_epochs=1',
]


@pytest.fixture(scope='module')
def checkout(tmp_path_factory, echonet_root, echonet_store):
    """A folder with configs, tools and data where the page expects them."""
    folder = tmp_path_factory.mktemp('checkout')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    (folder / 'configs' / 'mine').mkdir()
    (folder / 'tools').symlink_to(ROOT / 'tools')
    (folder / 'data' / 'packed').mkdir(parents=True)
    (folder / 'data' / 'EchoNet-Dynamic').symlink_to(echonet_root)
    (folder / 'data' / 'recordings').symlink_to(echonet_root / 'Videos')
    (folder / 'data' / 'packed' / 'EchoNet-Dynamic').symlink_to(echonet_store)
    videos = sorted(path.name for path in (echonet_root / 'Videos').iterdir())
    paths = [f'data/recordings/{name}' for name in videos]
    (folder / 'labels.csv').write_text('\n'.join(['path', *paths]))
    return folder


@pytest.fixture
def train(checkout, monkeypatch):
    """``train(arguments, work_dir, settings)`` runs tools/train.py on them, in this process."""

    def run(arguments: list[str], work_dir: str, settings: list[str]) -> None:
        monkeypatch.chdir(checkout)
        options = [] if '--cfg-options' in arguments else ['--cfg-options']
        main([*arguments, *options, *settings, '--work-dir', work_dir, '--no-validate'])
        assert Path(work_dir, 'epoch_1.pth').is_file()

    return run


@pytest.mark.parametrize('title', PYTHON)
def test_a_config_trains(title, checkout, train):
    name = re.sub(r'\W+', '_', title).lower()
    (checkout / 'configs' / 'mine' / f'{name}.py').write_text(PYTHON[title])
    train([f'configs/mine/{name}.py'], f'work_dirs/{name}', SMALL)
    if title == 'TensorBoard':
        assert list(checkout.glob(f'work_dirs/{name}/*/vis_data/events.out.tfevents.*'))
    if title == 'Weights & Biases':
        assert list(checkout.glob(f'work_dirs/{name}/*/vis_data/wandb/offline-run-*'))


@pytest.mark.parametrize('title', [title for title in SHELL if title != 'Two GPUs'])
def test_a_command_trains(title, train):
    shell = re.sub(r'batch_size=\d+', 'batch_size=2', SHELL[title])
    python, tool, *arguments = shlex.split(shell)
    assert (python, tool) == ('python', 'tools/train.py')
    small = [setting for setting in SMALL if setting.split('=')[0] not in shell]
    train(arguments, f'work_dirs/{len(title)}', small)


def test_two_processes_train(checkout, monkeypatch):
    monkeypatch.setenv('PATH', f'{Path(sys.executable).parent}:/usr/bin:/bin')
    small = [setting for setting in SMALL if 'batch_size' not in setting]
    command = shlex.split(SHELL['Two GPUs'].replace('batch_size=32', 'batch_size=2'))
    done = subprocess.run(
        [*command, *small, '--work-dir', 'work_dirs/two', '--no-validate'],
        cwd=checkout,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (checkout / 'work_dirs/two/epoch_1.pth').is_file()
