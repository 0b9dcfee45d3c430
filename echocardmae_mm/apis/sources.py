"""Find recordings to measure, with the metadata of a list."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.datasets.csv_table import read_table, strip_cell
from echocardmae_mm.datasets.recording_lists import (
    find_recordings,
    listed_recordings,
    walk_recordings,
)
from echocardmae_mm.datasets.recordings.recording import MAX_ASPECT, is_plausible_spacing
from echocardmae_mm.utils.errors import UserError

_COLUMNS = ('path', 'patient', 'study', 'view', 'fps', 'spacing')
_LABELS = ('ef', 'label', 'split')  # of a table for training, which is a list as well
#: Most recordings of a folder that is taken for a patient's.
MAX_OF_A_PATIENT = 10
#: Folders of data sets, exports and views, which hold recordings of several patients.
_OF_SEVERAL_PATIENTS = {
    *('echonet-dynamic', 'echonet-lvh', 'echonet-pediatric', 'hmc-qu', 'camus', 'database_nifti'),
    *('data', 'dataset', 'datasets', 'images', 'recordings', 'clips', 'files', 'video', 'videos'),
    *('avi', 'mp4', 'nifti', 'dicom', 'train', 'training', 'val', 'validation', 'test', 'testing'),
    *('2ch', '3ch', '4ch', 'a2c', 'a3c', 'a4c', 'ap2', 'ap3', 'ap4', 'plax', 'psax'),
}
HoldsFew = Callable[[Path], bool]


class Source(NamedTuple):
    """A recording to measure.

    Args:
        path (Path): The file.
        name (str): Its path below the given root.
        patient (str): Identity of the patient from the list, DICOM, or the outermost folder below
            the root that evidently is of one patient; otherwise the recording's.
        study (str): Identity of the study from the list, DICOM, or the innermost such folder;
            otherwise the recording's, or the patient's if a list names him.
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


def find_sources(paths: Sequence[Path], out: Path | None = None) -> list[Source]:
    """Find the recordings of files, folders and lists.

    Each file counts once; what a .csv list says of it holds.

    Args:
        paths (Sequence[Path]): Recordings, folders (at any depth), .txt and .csv lists.
        out (Path, optional): Folder of the results, which holds no recordings. Defaults to None.

    Returns:
        list[Source]: In the order of the paths, those of .csv lists first.

    Raises:
        UserError: If there is none, or a list is wrong.
    """
    few = cache(_holds_few)
    found: dict[Path, Source] = {}
    for path in sorted(paths, key=lambda path: path.suffix.lower() != '.csv'):
        if path.suffix.lower() == '.csv':
            sources = _from_table(path, few)
        elif path.suffix.lower() == '.txt':
            listed = listed_recordings(str(path), '')
            sources = [_described(file, path.parent, few) for file in listed]
        elif path.is_dir():
            sources = [_described(file, path, few) for file in find_recordings(str(path))]
        elif path.exists():
            sources = [_described(path, path.parent, few)]
        else:
            raise UserError(f'{path}: no such file or folder')
        for source in sources:
            if out is None or not source.path.resolve().is_relative_to(out.resolve()):
                found.setdefault(source.path.absolute(), source)
    if not found:
        raise UserError(
            f'{paths[0]}: no recording; expected .avi, .mp4, DICOM, NIfTI or MetaImage, '
            'and no results of predict'
        )
    return list(found.values())


def _described(path: Path, root: Path, few: HoldsFew) -> Source:
    """Describe a recording, with patient and study from DICOM or its folders."""
    place, base = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    if not place.is_relative_to(base):
        base = place.parent
    folders = _folders_of_a_patient(place, base, few) or [place]
    patient, study = _dicom_identity(path) or (str(folders[-1]), str(folders[0]))
    return Source(path, str(place.relative_to(base)), patient, study)


def _folders_of_a_patient(path: Path, root: Path, few: HoldsFew) -> list[Path]:
    """Folders between a recording and the root that evidently are of one patient, innermost first.

    A folder above one of several patients is of several patients as well.
    """
    folders = []
    for folder in path.parents:
        if folder == root or folder.name.lower() in _OF_SEVERAL_PATIENTS or not few(folder):
            break
        folders.append(folder)
    return folders


def _holds_few(folder: Path) -> bool:
    most = MAX_OF_A_PATIENT
    return len(list(islice(walk_recordings(str(folder)), most + 1))) <= most


def _dicom_identity(path: Path) -> tuple[str, str] | None:
    import pydicom

    tags = ['PatientID', 'StudyInstanceUID']
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        patient, study = (str(header.get(tag, '')) for tag in tags)
    except Exception:  # pydicom raises many types for damaged headers
        return None
    return (patient or study, study or patient) if patient or study else None


def _from_table(path: Path, few: HoldsFew) -> list[Source]:
    table = read_table(path)
    table.columns = table.columns.str.lower()
    if unknown := sorted(set(table) - {*_COLUMNS, *_LABELS}):
        raise UserError(f'{path}: unknown column {unknown[0]!r}; expected {", ".join(_COLUMNS)}')
    if 'path' not in table:
        raise UserError(f"{path}: no column 'path'; expected {', '.join(_COLUMNS)}")
    if twice := [*table.columns[table.columns.duplicated()]]:
        raise UserError(f'{path}: several columns are named {twice[0]}; expected one')
    sources: dict[Path, Source] = {}
    for row in range(len(table['path'])):
        cells = {name: strip_cell(table[name][row]) for name in table}
        place = f'{path}, row {row + 2}'
        if not cells['path']:
            raise UserError(f'{place}: path is empty; expected the file of a recording')
        source = _described(path.parent / cells['path'], path.parent, few)
        patient, study = cells.get('patient', ''), cells.get('study', '')
        if patient:
            is_own = source.study == os.path.abspath(source.path)
            # Studies of two patients may have the same name.
            study = f'{patient} {study or ("" if is_own else source.study)}'
        source = source._replace(
            patient=patient or source.patient,
            study=study or source.study,
            view=_view(cells.get('view', ''), place),
            fps=(_numbers(cells.get('fps', ''), place, 1) or (None,))[0],
            spacing=_numbers(cells.get('spacing', ''), place, 2),
        )
        if sources.setdefault(source.path, source) != source:
            raise UserError(f'{place}: {cells["path"]} is in an earlier row with other values')
    return list(sources.values())


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
    if numbers and not is_plausible_spacing((numbers[0], numbers[-1])):
        raise UserError(
            f'{place}: {cell!r} is no spacing; the larger number is at most {MAX_ASPECT} times the '
            'smaller'
        )
    return numbers or None
