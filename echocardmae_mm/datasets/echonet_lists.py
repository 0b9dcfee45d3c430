"""Read FileList.csv and VolumeTracings.csv of EchoNet-Dynamic."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.csv_table import read_table
from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.utils.errors import UserError

FILE_LIST = 'FileList.csv'
TRACINGS = 'VolumeTracings.csv'
VIDEO_FOLDERS = ('Videos', 'a4c-video-dir')
ROWS_OF_A_TRACING = 21
_TRACING_COLUMNS = ('FileName', 'X1', 'Y1', 'X2', 'Y2', 'Frame')


def video_stem(name: str) -> str:
    """Strip the suffix that VolumeTracings.csv has and FileList.csv lacks."""
    name = name.strip()
    return Path(name).stem if name.lower().endswith(('.avi', '.mp4')) else name


def find_videos(root: Path) -> dict[str, Path]:
    """Find the recordings of an EchoNet folder; keys are their stems."""
    return {
        video_stem(path.name): path
        for folder in VIDEO_FOLDERS
        if (root / folder).is_dir()
        for path in (root / folder).iterdir()
        if looks_like_recording(path)
    }


def read_tracings(path: Path) -> dict[str, dict[int, np.ndarray]]:
    """Read the tracings of the left ventricle.

    Args:
        path (Path): VolumeTracings.csv.

    Returns:
        dict: By video stem and frame, in the order of the file, the rows (x1, y1, x2, y2) of each
        tracing in pixels, float64 of shape (n, 4). The first row is the long axis; the others,
        normally 20, are chords, apex first. Empty if there is no such file.

    Raises:
        UserError: If a column is missing or a row is malformed.
    """
    if not path.is_file():
        return {}
    rows = read_table(path, _TRACING_COLUMNS)[[*_TRACING_COLUMNS]].itertuples(index=False)
    tracings: dict[str, dict[int, list[tuple[float, ...]]]] = {}
    for line, (name, *cells) in enumerate(rows, start=2):
        try:
            *chord, frame = map(float, cells)
            if not np.isfinite(chord).all() or not frame.is_integer():
                raise ValueError('expected finite coordinates and the number of a frame')
            frames = tracings.setdefault(video_stem(name), {})
            frames.setdefault(int(frame), []).append(tuple(chord))
        except ValueError as error:
            raise UserError(f'{path}, line {line}: not a tracing ({error})') from error
    return {
        stem: {frame: np.array(chords) for frame, chords in frames.items()}
        for stem, frames in tracings.items()
    }
