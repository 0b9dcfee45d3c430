"""Find recordings to measure, with the metadata of a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.datasets.csv_table import read_table
from echocardmae_mm.datasets.recording_lists import find_recordings, listed_recordings
from echocardmae_mm.utils.errors import UserError

_LISTS = ('.txt', '.csv')
_COLUMNS = ('path', 'patient', 'study', 'view', 'fps', 'spacing')
_LABELS = ('ef', 'label', 'split')  # of a table for training, which is a list as well


class Source(NamedTuple):
    """A recording to measure.

    Args:
        path (Path): The file.
        name (str): Its path below the given root.
        patient (str): Identity of the patient from the list, DICOM, or the first folder below the
            root.
        study (str): Identity of the study from the list, DICOM, or the folder.
        view (str, optional): View from the list.
        fps (float, optional): Frames per second from the list.
        spacing (tuple[float, ...], optional): Height, or height and width, of a pixel in mm from
            the list.
    """

    path: Path
    name: str
    patient: str
    study: str
    view: str | None = None
    fps: float | None = None
    spacing: tuple[float, ...] | None = None


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Find the recordings of files, folders and lists; each file counts once.

    Args:
        paths (Sequence[Path]): Recordings, folders (at any depth), .txt and .csv lists.

    Returns:
        list[Source]: In the order of the paths.

    Raises:
        UserError: If there is none, or a list is wrong.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        if path.suffix.lower() == '.csv':
            sources = _from_table(path)
        elif path.suffix.lower() == '.txt':
            sources = [_described(file, path.parent) for file in listed_recordings(str(path), '')]
        elif path.is_dir():
            sources = [_described(file, path) for file in find_recordings(str(path))]
        elif path.exists():
            sources = [_described(path, path.parent)]
        else:
            raise UserError(f'{path}: no such file or folder')
        for source in sources:
            found.setdefault(source.path.absolute(), source)
    if not found:
        raise UserError(f'{paths[0]}: no recording; expected .avi, .mp4, DICOM, NIfTI or MetaImage')
    return list(found.values())


def _described(path: Path, root: Path) -> Source:
    """Describe a recording, with patient and study from DICOM or its folder."""
    name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    # Two roots may hold folders or files of the same name.
    folders = Path(name).parts[:-1]
    first, own = (folders[0], Path(*folders)) if folders else (name, Path(name))
    by_folder = str(root.absolute() / first), str(root.absolute() / own)
    patient, study = _dicom_identity(path) or by_folder
    return Source(path, name, patient, study)


def _dicom_identity(path: Path) -> tuple[str, str] | None:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        header = pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=['PatientID', 'StudyInstanceUID']
        )
    except (InvalidDicomError, OSError, ValueError, EOFError):
        return None
    patient, study = str(header.get('PatientID', '')), str(header.get('StudyInstanceUID', ''))
    return (patient or study, study or patient) if patient or study else None


def _from_table(path: Path) -> list[Source]:
    table = read_table(path)
    table.columns = table.columns.str.lower()
    if unknown := sorted(set(table) - {*_COLUMNS, *_LABELS}):
        raise UserError(f'{path}: unknown column {unknown[0]!r}; expected {", ".join(_COLUMNS)}')
    if 'path' not in table:
        raise UserError(f"{path}: no column 'path'; expected {', '.join(_COLUMNS)}")
    sources = []
    for row in range(len(table['path'])):
        cells = {name: str(table[name][row]).strip() for name in table}
        source = _described(path.parent / cells['path'], path.parent)
        if cells.get('patient'):
            source = source._replace(patient=cells['patient'], study=cells['patient'])
        if cells.get('study'):
            source = source._replace(study=cells['study'])
        place = f'{path}, row {row + 2}'
        sources.append(
            source._replace(
                name=cells['path'],
                view=_view(cells.get('view', ''), place),
                fps=(_numbers(cells.get('fps', ''), place, 1) or (None,))[0],
                spacing=_numbers(cells.get('spacing', ''), place, 2),
            )
        )
    return sources


def _view(cell: str, place: str) -> str | None:
    views = {'4CH': '4CH', 'A4C': '4CH', '2CH': '2CH', 'A2C': '2CH', 'OTHER': 'other'}
    if cell and cell.upper() not in views:
        raise UserError(f'{place}: view {cell!r} is unknown; expected 4CH, 2CH or other')
    return views[cell.upper()] if cell else None


def _numbers(cell: str, place: str, most: int) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(part) for part in cell.replace(';', ' ').split())
    except ValueError:
        numbers = (0.0,)
    if len(numbers) > most or not all(0 < number < float('inf') for number in numbers):
        expected = 'a positive number' if most == 1 else 'one or two positive numbers'
        raise UserError(f'{place}: {cell!r} is not {expected}')
    return numbers or None
