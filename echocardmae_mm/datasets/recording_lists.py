"""Find the recordings in a folder or a list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from echocardmae_mm.datasets.csv_table import read_table
from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_text

#: File of the settings in a folder of ``echocardmae predict``.
PREDICTION_RUN = 'run.json'
_SIZES = {'echonet': '--videos 800', 'camus': '--camus 100', 'hmcqu': '--hmcqu 240'}
_PATH_COLUMNS = ('path', 'filename', 'file', 'video')


def or_phantoms(dataset: str = 'echonet') -> str:
    """The end of an error message, which suggests phantoms for a missing data set."""
    return (
        'or try phantoms: echocardmae phantoms --out data/phantom '
        f'{_SIZES[dataset]} --seed 1 --datasets {dataset}'
    )


def find_recordings(root: str) -> list[Path]:
    """Sort the results of :func:`walk_recordings`; a UserError says that there is no folder."""
    if not root or not Path(root).is_dir():
        raise UserError(
            f'{root or "data_root"}: no such folder; expected a folder of recordings\n'
            f'Set data_root to such a folder or ann_file to a list, {or_phantoms()}'
        )
    return sorted(walk_recordings(root))


def walk_recordings(root: str) -> Iterator[Path]:
    """Find the recordings in a folder at any depth, in no order.

    Hidden files, CAMUS labels (_gt) and results of ``echocardmae predict`` are none. Links are
    followed, but each folder counts once.
    """
    visited = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        status = os.stat(folder)
        place = status.st_dev, status.st_ino
        if place in visited or (PREDICTION_RUN in names and _is_prediction(Path(folder))):
            subfolders.clear()
            continue
        visited.add(place)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith('.'))
        for path in (Path(folder, name) for name in names):
            if looks_like_recording(path) and not path.name.split('.')[0].endswith('_gt'):
                yield path


def _is_prediction(folder: Path) -> bool:
    """Whether a folder holds results of ``echocardmae predict``, not of another program."""
    try:
        return 'models' in json.loads((folder / PREDICTION_RUN).read_bytes())['settings']
    except (OSError, ValueError, KeyError, TypeError):
        return False


def listed_recordings(list_file: str, root: str) -> list[Path]:
    """Read the distinct paths of a list, whether or not the files exist.

    Args:
        list_file (str): A text file with one path per line, or a .csv file with a column
            ``path`` (``filename``, ``file`` and ``video`` are accepted too).
        root (str): Base folder of relative paths; '' for the folder of the list.

    Returns:
        list[Path]: In the order of the list.

    Raises:
        UserError: If the list does not exist or lacks the column.
    """
    path = Path(list_file)
    if not path.is_file():
        raise UserError(
            f'{list_file}: no such file; expected a list of recordings, one path per line\n'
            f'Set ann_file to a list, or omit it to read all of data_root, {or_phantoms()}'
        )
    folder = Path(root) if root else path.parent
    is_csv = path.suffix.lower() == '.csv'
    names = _csv_names(path) if is_csv else read_text(path).splitlines()
    return [folder / name for name in dict.fromkeys(map(str.strip, names)) if name]


def _csv_names(path: Path) -> list[str]:
    table = read_table(path)
    column = next((name for name in table if name.lower() in _PATH_COLUMNS), None)
    if column is None:
        raise UserError(
            f"{path}: no column 'path'; found {', '.join(table) or 'nothing'}\n"
            "Call the column of paths 'path', or use a text file with one path per line"
        )
    return list(table[column])
