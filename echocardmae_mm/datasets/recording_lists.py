"""Which recordings a folder holds or a list names."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.utils.errors import UserError

_SIZES = {'echonet': '--videos 800', 'camus': '--camus 100', 'hmcqu': '--hmcqu 240'}
_FILENAME_COLUMNS = ('filename', 'file', 'path', 'video')


def or_phantoms(dataset: str = 'echonet') -> str:
    """Advice for who has no data: as many phantoms of a data set as the demo makes.

    Args:
        dataset (str): 'echonet', 'camus' or 'hmcqu'. Defaults to 'echonet'.

    Returns:
        str: The end of a sentence.
    """
    return (
        'or try phantoms: python tools/make_phantoms.py --out data/phantom '
        f'{_SIZES[dataset]} --seed 1 --datasets {dataset}'
    )


def find_recordings(root: str) -> list[Path]:
    """Recordings of a folder and its folders; hidden ones and CAMUS' labels (_gt) are left out.

    Args:
        root (str): The folder.

    Returns:
        list[Path]: Sorted paths.

    Raises:
        UserError: If there is no such folder.
    """
    if not root or not Path(root).is_dir():
        raise UserError(
            f'{root or "data_root"}: no such folder; expected a folder of recordings\n'
            f'Set data_root to one, {or_phantoms()}'
        )
    return sorted(
        path
        for path in _files(Path(root))
        if looks_like_recording(path) and not path.name.split('.')[0].endswith('_gt')
    )


def _files(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = [name for name in subfolders if not name.startswith('.')]
        yield from (Path(folder, name) for name in names)


def listed_recordings(list_file: str, root: str) -> list[Path]:
    """Recordings that a list names, on disk or not, each once.

    Args:
        list_file (str): A text file of one path a line, or a .csv with a column ``filename``.
        root (str): Folder that the paths are relative to; '' for the list's own.

    Returns:
        list[Path]: In the order of the list.

    Raises:
        UserError: If there is no such list, or it has no such column.
    """
    path = Path(list_file)
    if not path.is_file():
        raise UserError(
            f'{list_file}: no such file; expected a list of recordings, one path a line\n'
            f'Set ann_file to one or leave it out to read all of data_root, {or_phantoms()}'
        )
    with path.open(encoding='utf-8-sig', newline='') as lines:
        names = _csv_names(lines, path) if path.suffix.lower() == '.csv' else map(str.strip, lines)
        folder = Path(root) if root else path.parent
        return [folder / name for name in dict.fromkeys(names) if name]


def _csv_names(lines: Iterable[str], path: Path) -> Iterator[str]:
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or []
    column = next((name for name in columns if name.lower() in _FILENAME_COLUMNS), None)
    if column is None:
        raise UserError(
            f"{path}: no column 'filename'; found {', '.join(columns) or 'nothing'}\n"
            'Name the column of the paths filename, or give a text file of one path a line'
        )
    return (row[column].strip() for row in reader)
