"""Small recordings and data sets that several tests share."""

from __future__ import annotations

import csv
import gc
import io
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest
from hypothesis import settings
from mmengine.logging import MMLogger
from mmengine.visualization import Visualizer

import echocardmae_mm  # noqa: F401  (applies the patches before a test imports a host)
from echocardmae_mm.cli import cross_validate
from echocardmae_mm.cli.main import main
from echocardmae_mm.datasets.recordings.packing import StoreWriter, pack
from echocardmae_mm.phantom import hmcqu_files, make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi
from tests.helpers.bundles import write_bundles
from tests.helpers.camus import write_view

# What hypothesis draws is the same everywhere, and no example has a time limit.
settings.load_profile('ci')
# Commands set it for the rest of their process.
os.environ.setdefault('LOCAL_RANK', '0')

VideoWriter = Callable[..., Path]
Command = Callable[..., CompletedProcess]


def beating_disc(num_frames: int, height: int = 112, width: int = 112, seed: int = 0) -> np.ndarray:
    """A speckled sector with a dark disc that beats: uint8 (num_frames, height, width, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    sector = (x + y > 0.6) & (x - y < 0.4)
    frames = rng.normal(120, 25, (num_frames, height, width))
    for index, frame in enumerate(frames):
        radius = 0.2 + 0.05 * np.cos(index / 4)
        frame[(x - 0.5) ** 2 + (y - 0.5) ** 2 < radius**2] *= 0.2
        frame[~sector] = 0
    return np.repeat(np.clip(frames, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def write_video(path: Path, frames: np.ndarray, fourcc: str = 'MJPG', fps: float = 50) -> Path:
    """Write RGB frames (T, H, W, 3)."""
    height, width = frames.shape[1:3]
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), fps, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow tests come first, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker('slow') is None)


def pytest_collection_finish() -> None:
    """mmengine collects garbage for each data set: let it pass over what was imported."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_of_another_test() -> Iterator[None]:
    """mmengine keeps loggers whose stream is closed, and visualizers whose folder is gone."""
    for name, logger in [*MMLogger._instance_dict.items()]:
        if any(getattr(handler, 'stream', None) is not None and handler.stream.closed
               for handler in logger.handlers):  # fmt: skip
            del MMLogger._instance_dict[name]
    yield
    Visualizer._instance_dict.clear()


@pytest.fixture(scope='session')
def command() -> Command:
    """``command('pack', *arguments, cwd=folder)`` runs it in this process."""

    def run(name: str, *arguments: object, cwd: Path | str = '.') -> CompletedProcess:
        words = [name, *map(str, arguments)]
        out, err = io.StringIO(), io.StringIO()
        status: str | int | None = None
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            patch.chdir(cwd)
            try:
                main(words)
            except SystemExit as end:
                status = end.code
        if isinstance(status, str):  # As Python ends: the text on stderr, and status 1.
            print(status, file=err)
            status = 1
        return CompletedProcess(words, status or 0, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def folds_here(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folds of ``cross-validate`` train and are tested in this process."""

    def run(name: str, arguments: list[str], folder: Path, *_: object) -> None:
        done = command(name, *arguments)
        assert done.returncode == 0, done.stderr
        (folder / f'{name}.log').write_text(done.stdout)

    monkeypatch.setattr(cross_validate, 'run_command', run)


@pytest.fixture(scope='session')
def make_video() -> VideoWriter:
    """``make_video(path, num_frames=60, **kwargs of write_video)`` writes a beating disc."""

    def make(
        path: Path,
        num_frames: int = 60,
        seed: int = 0,
        size: tuple[int, int] = (112, 112),
        **kwargs: object,
    ) -> Path:
        return write_video(path, beating_disc(num_frames, *size, seed=seed), **kwargs)

    return make


@pytest.fixture(scope='session')
def echonet_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as EchoNet-Dynamic ships it: 8 videos (5 train, 1 val, 2 test) of 80 frames."""
    root = tmp_path_factory.mktemp('EchoNet-Dynamic')
    rows, tracings = [], []
    for index, split in enumerate(['TRAIN'] * 5 + ['VAL'] + ['TEST'] * 2):
        stem = f'0X{index:016X}'
        write_video(root / 'Videos' / f'{stem}.avi', beating_disc(80, seed=index))
        edv = 100.0 + index
        esv = 40.0 + 2 * index
        rows.append([stem, 100 * (edv - esv) / edv, esv, edv, 112, 112, 50, 80, split])
        for frame, width in ((20, 15), (3, 25)):
            tracings += [[f'{stem}.avi', *line, frame] for line in _chords(width)]
    _write_csv(
        root / 'FileList.csv',
        'FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split',
        rows,
    )
    _write_csv(root / 'VolumeTracings.csv', 'FileName,X1,Y1,X2,Y2,Frame', tracings)
    return root


@pytest.fixture(scope='session')
def pack_folder() -> Callable[..., str]:
    """``pack_folder(root, out)`` is ``echocardmae pack`` in one process."""

    def make(root: Path, out: Path) -> str:
        writer = StoreWriter(out, root)
        list(pack(root, sorted(path for path in root.rglob('*') if path.is_file()), writer, map))
        writer.finish()
        return str(out)

    return make


@pytest.fixture(scope='session')
def echonet_store(
    echonet_root: Path, pack_folder: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The store of ``echonet_root``."""
    return pack_folder(echonet_root, tmp_path_factory.mktemp('packed') / 'store')


@pytest.fixture(scope='session')
def camus_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as CAMUS' NIfTI release is unpacked: 6 patients, of whom the last two test.

    Frames are 60 x 40 pixels of 0.5 x 1 mm; labels are nested ellipses and a box below them.
    """
    root = tmp_path_factory.mktemp('CAMUS')
    for number in range(1, 7):
        quality = ('Good', 'Medium', 'Poor')[number % 3]
        info = f'ED: 1\nES: 5\nNbFrame: 5\nImageQuality: {quality}\nEF: 50\n'
        labels = np.stack([nested_labels(9 - t, number) for t in range(5)])
        parts = {'half_sequence': labels, 'ED': labels[0], 'ES': labels[-1]}
        images = {name: 40 + 50 * part for name, part in parts.items()}
        images |= {f'{name}_gt': part for name, part in parts.items()}
        for view in ('2CH', '4CH'):
            folder = root / 'database_nifti' / f'patient{number:04d}'
            write_view(folder, view, info, images, spacing=(0.5, 1))
    lists = root / 'database_split'
    lists.mkdir()
    (lists / 'subgroup_testing.txt').write_text('patient0005\npatient0006\n')
    return root


@pytest.fixture(scope='session')
def hmcqu_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HMC-QU phantoms: 6 recordings of A4C, 3 with an infarction, 4 with a traced wall."""
    root = tmp_path_factory.mktemp('phantom')
    recordings = [r for r in hmcqu_files.plan(6, seed=1) if r.view == 'A4C']
    rows = [hmcqu_files.write_recording(root, r, 1, 'default') for r in recordings]
    hmcqu_files.write_lists(root, rows)
    return root / 'HMC-QU'


def nested_labels(radius: float, shift: int = 0) -> np.ndarray:
    """Ventricle, its wall and the atrium below: uint8 of shape (60, 40)."""
    y, x = np.mgrid[:60, :40]
    distance = np.hypot((y - 28) / 1.8, x - 18 - shift % 3)
    labels = np.where(distance < radius, 1, np.where(distance < radius + 3, 2, 0))
    labels[48:56, 12:26] = 3
    return labels.astype(np.uint8)


def _chords(width: float) -> list[list[float]]:
    """Long axis and 20 chords of an ellipse around (56, 60)."""
    heights = np.linspace(31, 89, 20)
    half = width * np.sqrt(1 - ((heights - 60) / 30) ** 2)
    return [[56, 30, 56, 90], *([56 - h, y, 56 + h, y] for y, h in zip(heights, half))]


def _write_csv(path: Path, header: str, rows: list[list[object]]) -> None:
    with path.open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(header.split(','))
        writer.writerows(rows)


@pytest.fixture(scope='session')
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One bundle for each task, and one that segments clips."""
    return write_bundles(tmp_path_factory.mktemp('bundles'))


@pytest.fixture(scope='session')
def recordings(tmp_path_factory) -> dict[str, Path]:
    """The same heart as EchoNet-Dynamic shows it and on a scanner's screen."""
    root = tmp_path_factory.mktemp('recordings')
    files = {}
    for screen in ('echonet', 'clip'):
        phantom = make_phantom(3, num_frames=70, screen=screen)
        files[screen] = root / f'{screen}.avi'
        write_avi(files[screen], phantom.frames, phantom.fps)
    return files
