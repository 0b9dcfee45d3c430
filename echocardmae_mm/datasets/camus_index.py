"""CAMUS on disk, in both releases: patients, views, instants and ejection fractions.

The NIfTI release has ``database_nifti/patient0001/patient0001_4CH_half_sequence.nii.gz``, the
challenge's ``training/patient0001/patient0001_4CH_sequence.mhd``; both have an ``Info_4CH.cfg``
beside them. Their ejection fractions differ by about eight points for the same patients.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

NIFTI, CHALLENGE = 'CAMUS, NIfTI release', 'CAMUS, challenge release'
_NIFTI_FOLDER = 'database_nifti'
_CHALLENGE_FOLDERS = ('training', 'testing')


class Patient(NamedTuple):
    """A patient's folder.

    Args:
        name (str): 'patient0001' and so on; 'testing/patient0001' for the challenge's test folder,
            which numbers other patients from 1 again.
        folder (Path): Where the files are.
        release (str): :data:`NIFTI` or :data:`CHALLENGE`.
    """

    name: str
    folder: Path
    release: str

    @property
    def is_hidden(self) -> bool:
        """Whether the challenge may hold the patient's labels back."""
        return self.release == CHALLENGE and self.folder.parent.name == _CHALLENGE_FOLDERS[1]

    def image(self, view: str, kind: str) -> Path | None:
        """A file of the patient.

        Args:
            view (str): '2CH' or '4CH'.
            kind (str): 'sequence', 'ED', 'ES', 'ED_gt' or 'ES_gt'.

        Returns:
            Path, optional: None where there is none.
        """
        if self.release == NIFTI:
            kind = kind.replace('sequence', 'half_sequence')
        suffixes = ('.nii.gz', '.nii') if self.release == NIFTI else ('.mhd',)
        stem = f'{self.folder.name}_{view}_{kind}'
        paths = (self.folder / f'{stem}{suffix}' for suffix in suffixes)
        return next((path for path in paths if path.is_file()), None)

    def info(self, view: str) -> dict[str, str]:
        """What the cfg file says of a view.

        Args:
            view (str): '2CH' or '4CH'.

        Returns:
            dict[str, str]: Empty if the file is missing.
        """
        return read_info(self.folder / f'Info_{view}.cfg')


def find_patients(root: Path) -> list[Patient]:
    """Patients of a folder of either release.

    Args:
        root (Path): Folder of ``database_nifti``, of ``training`` and ``testing``, or one of these
            itself.

    Returns:
        list[Patient]: Sorted by name; of both releases where the folder holds both.
    """
    folders = {
        path
        for pattern in ('patient*', '*/patient*')
        for path in root.glob(pattern)
        if path.is_dir() and path.name[7:].isdigit()
    }
    return sorted(Patient(_name(path), path, _release(path)) for path in folders)


def read_info(path: Path) -> dict[str, str]:
    """Read a patient's cfg file.

    Args:
        path (Path): Lines ``key: value``.

    Returns:
        dict[str, str]: Empty if the file is missing.
    """
    if not path.is_file():
        return {}
    pairs = (line.split(':', 1) for line in path.read_text().splitlines() if ':' in line)
    return {key.strip(): value.strip() for key, value in pairs}


def ejection_fraction(info: dict[str, str]) -> float:
    """The ejection fraction that a cfg file states.

    Args:
        info (dict[str, str]): As :func:`read_info` gives it.

    Returns:
        float: Per cent; NaN where there is none.
    """
    try:
        return float(info.get('EF') or info.get('LVef') or 'nan')
    except ValueError:
        return float('nan')


def _name(folder: Path) -> str:
    is_test = folder.parent.name == _CHALLENGE_FOLDERS[1]
    return f'{folder.parent.name}/{folder.name}' if is_test else folder.name


def _release(folder: Path) -> str:
    if folder.parent.name == _NIFTI_FOLDER:
        return NIFTI
    if folder.parent.name in _CHALLENGE_FOLDERS:
        return CHALLENGE
    return NIFTI if any(folder.glob('*.nii*')) else CHALLENGE
