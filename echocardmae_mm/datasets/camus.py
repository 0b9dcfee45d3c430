"""CAMUS as its owners ship it, in either release, for ejection fraction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.camus_index import Patient, ejection_fraction, find_patients
from echocardmae_mm.datasets.echonet_dynamic import is_ef
from echocardmae_mm.datasets.patient_folds import contiguous_folds, patients_of_split, read_folds
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import or_phantoms
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

VIEWS = ('2CH', '4CH')


@DATASETS.register_module()
class CAMUSDataset(RecordingDataset):
    """Apical sequences of CAMUS with their ejection fraction (Leclerc et al., IEEE TMI 2019).

    Each sequence comes with ``patient``, ``view``, ``quality`` (as the cfg file says it: Good,
    Medium or Poor), ``ef`` in per cent, ``fps`` where the release states it, ``source``, the
    release, and ``cycle``: the frames of end-diastole and end-systole, from 0, for
    ``span='cycle'``, which reads a sequence stored backwards from end-diastole on.

    The ejection fractions of the two releases differ by about eight points for the same patients,
    so that a folder which holds both is refused. Patients of the challenge's test folder whose
    labels are held back are left out and counted in :attr:`report`.

    Args:
        data_root (str): Folder of ``database_nifti`` (NIfTI release), of ``training`` and
            ``testing`` (challenge's release), or one of these itself.
        views (str | Sequence[str]): '4CH', '2CH' or both. Defaults to '4CH'.
        fold (int, optional): The fold that is held out, from 0. Defaults to None, all patients.
        split (str, optional): With ``fold``: 'test', the fold itself; 'val', a share of the other
            patients; 'train', the rest. Defaults to None.
        num_folds (int): Folds are blocks of equal length of the sorted patients, as CoReEcho cuts
            them. Defaults to 10.
        fold_file (str): CSV of the columns ``patient`` and ``fold`` in place of those blocks;
            ``num_folds`` does not count then. Defaults to ''.
        val_share (float): Share of the patients outside the fold that validates. Defaults to 0.1.
        **kwargs (Any): Further arguments of :class:`RecordingDataset`.

    Attributes:
        folds (dict[str, int]): Fold of each patient; empty without ``fold``.

    Raises:
        UserError: If there is no patient, the folder holds both releases, a view or an EF of 0 to
            100 is missing, or the fold or the split does not exist.
    """

    folds: dict[str, int]

    def __init__(
        self,
        data_root: str = 'data/CAMUS',
        views: str | Sequence[str] = '4CH',
        fold: int | None = None,
        split: str | None = None,
        num_folds: int = 10,
        fold_file: str = '',
        val_share: float = 0.1,
        **kwargs: Any,
    ) -> None:
        self.views = [view.upper() for view in ([views] if isinstance(views, str) else views)]
        if unknown := set(self.views) - set(VIEWS):
            raise UserError(f'CAMUSDataset: view {min(unknown)!r} is unknown; choose of {VIEWS}')
        if (fold is None) != (split is None):
            raise UserError('CAMUSDataset: fold and split go together; give both or neither')
        self.fold = fold
        self.split = split
        self.num_folds = num_folds
        self.fold_file = fold_file
        self.val_share = val_share
        self.folds = {}
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the patients' folders.

        Returns:
            list[dict]: One dict a sequence, sorted by patient and view.
        """
        patients = find_patients(Path(self.data_root))
        require_one_release(self.data_root, patients)
        labelled = [patient for patient in patients if not self._is_held_back(patient)]
        if not labelled:
            raise UserError(f'{self.data_root}: no patient of CAMUS in it has an EF')
        chosen = self._in_split({patient.name for patient in labelled})
        self.report = {
            f'patients of the {patients[0].release}': len(patients),
            'with labels held back': len(patients) - len(labelled),
            'patients of the split': len(chosen),
        }
        print_log(f'CAMUSDataset reads the {patients[0].release}: {self.data_root}', 'current')
        return [
            _data_info(patient, view)
            for patient in labelled
            if patient.name in chosen
            for view in self.views
        ]

    def _is_held_back(self, patient: Patient) -> bool:
        return patient.is_hidden and not any(
            is_ef(ejection_fraction(patient.info(view))) for view in self.views
        )

    def _in_split(self, patients: set[str]) -> set[str]:
        if self.fold is None or self.split is None:
            return patients
        if self.fold_file:
            self.folds = read_folds(self.fold_file, patients)
        else:
            self.folds = contiguous_folds(patients, self.num_folds)
        return patients_of_split(self.folds, self.fold, self.split, self.val_share)


def require_one_release(root: str, patients: list[Patient]) -> None:
    """Refuse a folder without patients of CAMUS, or with patients of both releases.

    Args:
        root (str): The folder.
        patients (list[Patient]): What was found in it.

    Raises:
        UserError: If so.
    """
    if not patients:
        raise UserError(
            f'{root}: no patient of CAMUS; expected database_nifti/patient0001 or '
            'training/patient0001\n'
            f'Set data_root to the folder that was unpacked, {or_phantoms("camus")}'
        )
    if len({patient.release for patient in patients}) > 1:
        raise UserError(
            f'{root}: holds both releases of CAMUS, whose EF differ by about eight points\n'
            'Set data_root to database_nifti, or to a folder of training and testing alone'
        )


def _data_info(patient: Patient, view: str) -> dict[str, Any]:
    path, cfg = patient.image(view, 'sequence'), patient.folder / f'Info_{view}.cfg'
    if path is None:
        raise UserError(
            f'{patient.folder}: no sequence of view {view}; unpack the patient again, or leave the '
            'view out'
        )
    info = patient.info(view)
    ef = ejection_fraction(info)
    if not is_ef(ef):
        stated = info.get('EF') or info.get('LVef') or 'nothing'
        raise UserError(f'{cfg}: expected an EF of 0 to 100 per cent, found {stated!r}')
    rate = info.get('FrameRate', '')
    return {
        'filename': str(path),
        'patient': patient.name,
        'view': view,
        'source': patient.release,
        'quality': info.get('ImageQuality', ''),
        'modality': 'RGB',
        'start_index': 0,
        'ef': ef,
        'cycle': (_instant(info, 'ED', cfg), _instant(info, 'ES', cfg)),
        'fps': float(rate) if rate.replace('.', '', 1).isdigit() else None,
    }


def _instant(info: dict[str, str], name: str, cfg: Path) -> int:
    """Frame of end-diastole or end-systole, from 0; the files count from 1."""
    frame, last = info.get(name, ''), info.get('NbFrame', '')
    if not (frame.isdigit() and last.isdigit() and 1 <= int(frame) <= int(last)):
        raise UserError(f'{cfg}: {name}={frame!r} is no frame of 1 to NbFrame={last!r}')
    return int(frame) - 1
