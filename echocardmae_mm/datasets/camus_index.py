"""Read patients, views, instants and ejection fractions from either release of CAMUS.

The NIfTI release has files such as
``database_nifti/patient0001/patient0001_4CH_half_sequence.nii.gz``, the challenge release files
such as ``training/patient0001/patient0001_4CH_sequence.mhd``. Both have ``Info_4CH.cfg`` in the
same folder. Their ejection fractions differ by about eight points for the same patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.datasets.recording_lists import or_phantoms
from echocardmae_mm.utils.errors import UserError

NIFTI, CHALLENGE = 'CAMUS, NIfTI release', 'CAMUS, challenge release'
VIEWS = ('2CH', '4CH')
INSTANTS = ('ED', 'ES')
_CHALLENGE_FOLDERS = ('training', 'testing')


class Patient(NamedTuple):
    """A patient's folder.

    Args:
        name (str): A name such as 'patient0001', or 'testing/patient0001' for the challenge's test
            folder, whose patients are others and numbered from 1 again.
        folder (Path): The folder.
        release (str): :data:`NIFTI` or :data:`CHALLENGE`.
    """

    name: str
    folder: Path
    release: str

    @property
    def may_lack_labels(self) -> bool:
        """Whether the challenge may withhold the patient's labels."""
        return self.release == CHALLENGE and self.folder.parent.name == _CHALLENGE_FOLDERS[1]

    def image(self, view: str, kind: str) -> Path | None:
        """Path of a view's 'sequence', 'ED', 'ES', 'ED_gt' or 'ES_gt'; None if it is missing."""
        if self.release == NIFTI:
            kind = kind.replace('sequence', 'half_sequence')
        suffixes = ('.nii.gz', '.nii') if self.release == NIFTI else ('.mhd',)
        stem = f'{self.folder.name}_{view}_{kind}'
        paths = (self.folder / f'{stem}{suffix}' for suffix in suffixes)
        return next((path for path in paths if path.is_file()), None)

    def info_file(self, view: str) -> Path:
        """Path of a view's cfg file."""
        return self.folder / f'Info_{view}.cfg'

    def info(self, view: str) -> dict[str, str]:
        """Read the ``key: value`` lines of a view's cfg file; empty if the file is missing."""
        path = self.info_file(view)
        lines = path.read_text('latin-1').splitlines() if path.is_file() else []
        pairs = (line.split(':', 1) for line in lines if ':' in line)
        return {key.strip(): value.strip() for key, value in pairs}


def find_patients(root: Path) -> list[Patient]:
    """Find the patients in a folder.

    Args:
        root (Path): Folder that contains ``database_nifti`` or ``training`` and ``testing``, or one
            of these folders.

    Returns:
        list[Patient]: Sorted by name; of both releases if the folder contains both.
    """
    folders = {
        path
        for pattern in ('patient*', '*/patient*')
        for path in root.glob(pattern)
        if path.is_dir() and path.name[7:].isdigit()
    }
    return sorted(Patient(_name(path), path, _release(path)) for path in folders)


def find_patients_of_one_release(root: str) -> list[Patient]:
    """Find the patients in a folder; reject a folder with both releases or without patients.

    Raises:
        UserError: If there is no patient, or there are patients of both releases.
    """
    patients = find_patients(Path(root))
    if not patients:
        raise UserError(
            f'{root}: no CAMUS patient; expected database_nifti/patient0001 or '
            'training/patient0001\n'
            f'Set data_root to the unpacked folder, {or_phantoms("camus")}'
        )
    if len({patient.release for patient in patients}) > 1:
        raise UserError(
            f'{root}: contains both releases of CAMUS, whose EF differ by about eight points\n'
            'Set data_root to database_nifti, or to a folder with training and testing only'
        )
    return patients


def require_views(views: str | Sequence[str]) -> list[str]:
    """Convert the ``views`` of a data set to a list in upper case; reject unknown views."""
    upper = [view.upper() for view in ([views] if isinstance(views, str) else views)]
    if unknown := set(upper) - set(VIEWS):
        raise UserError(f'view {min(unknown)!r} is unknown; choose from {VIEWS}')
    return upper


def ejection_fraction(info: dict[str, str]) -> float:
    """Ejection fraction in a cfg file, in per cent; NaN if missing."""
    try:
        return float(info.get('EF') or info.get('LVef') or 'nan')
    except ValueError:
        return float('nan')


def instant_frame(info: dict[str, str], instant: str) -> int | None:
    """Frame of end-diastole or end-systole, from 0; None if missing or out of range."""
    frame, last = frame_count(info, instant), frame_count(info, 'NbFrame')
    return frame - 1 if frame and last and frame <= last else None


def frame_count(info: dict[str, str], key: str) -> int | None:
    """Number of a frame or of frames in a cfg file, from 1; None if missing or malformed."""
    text = info.get(key, '')
    is_number = text.isascii() and text.isdigit() and len(text) < 10  # int() has a limit
    return int(text) or None if is_number else None


def _name(folder: Path) -> str:
    is_test = folder.parent.name == _CHALLENGE_FOLDERS[1]
    return f'{folder.parent.name}/{folder.name}' if is_test else folder.name


def _release(folder: Path) -> str:
    if folder.parent.name == 'database_nifti':
        return NIFTI
    if folder.parent.name in _CHALLENGE_FOLDERS:
        return CHALLENGE
    return NIFTI if any(folder.glob('*.nii*')) else CHALLENGE
