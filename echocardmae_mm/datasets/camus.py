"""CAMUS for ejection fraction, in either release."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from echocardmae_mm.datasets.camus_index import (
    INSTANTS,
    Patient,
    ejection_fraction,
    find_patients_of_one_release,
    instant_frame,
    require_views,
)
from echocardmae_mm.datasets.cross_validated_dataset import CrossValidatedDataset
from echocardmae_mm.datasets.csv_table import is_ef, read_number
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


@DATASETS.register_module()
class CAMUSDataset(CrossValidatedDataset):
    """Apical sequences of CAMUS with their ejection fraction (Leclerc et al., IEEE TMI 2019).

    Each sequence has ``patient``, ``view``, ``quality`` (Good, Medium or Poor), ``ef`` in per cent,
    ``fps`` if the release states it, ``source`` (the release) and ``cycle`` (the frames of
    end-diastole and end-systole, from 0). If end-systole is stored first, ``span='cycle'`` reverses
    the sequence.

    The ejection fractions of the two releases differ by about eight points for the same patients,
    so a folder that contains both raises an error. Patients of the challenge's test folder without
    published labels are dropped and counted in :attr:`report`. Folds are equally long blocks of the
    sorted patients, as in CoReEcho.

    Args:
        data_root (str): Folder that contains ``database_nifti`` (NIfTI release) or ``training`` and
            ``testing`` (challenge release), or one of these folders.
        views (str | Sequence[str]): '4CH', '2CH' or both. Defaults to '4CH'.
        val_share (float): Share of the patients outside the fold to use for validation. Defaults to
            0.1.
        **kwargs (Any): Arguments of :class:`CrossValidatedDataset`: ``fold``, ``split``, ...

    Raises:
        UserError: If there is no patient, the folder contains both releases, a view or a valid EF
            is missing, or the fold or the split does not exist.
    """

    def __init__(
        self,
        data_root: str = 'data/CAMUS',
        views: str | Sequence[str] = '4CH',
        val_share: float = 0.1,
        **kwargs: Any,
    ) -> None:
        self.views = require_views(views)
        super().__init__(data_root=data_root, val_share=val_share, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the sequences, sorted by patient and view."""
        patients = find_patients_of_one_release(self.data_root)
        labelled = [patient for patient in patients if not self._is_withheld(patient)]
        if not labelled:
            raise UserError(f'{self.data_root}: no CAMUS patient in this folder has an EF')
        chosen = self.select_patients([patient.name for patient in labelled])
        self.report = {
            f'patients of the {patients[0].release}': len(patients),
            'without published labels': len(patients) - len(labelled),
            'patients of the split': len(chosen),
        }
        return [
            _sequence(patient, view)
            for patient in labelled
            if patient.name in chosen
            for view in self.views
        ]

    def _is_withheld(self, patient: Patient) -> bool:
        return patient.may_lack_labels and not any(
            is_ef(ejection_fraction(patient.info(view))) for view in self.views
        )


@DATASETS.register_module()
class CAMUSViewDataset(CAMUSDataset):
    """The sequences of CAMUS with their view as ``label``: 0 for 4CH, 1 for 2CH.

    Args:
        data_root (str): See :class:`CAMUSDataset`.
        views (str | Sequence[str]): See :class:`CAMUSDataset`. Defaults to both.
        **kwargs (Any): Further arguments of :class:`CAMUSDataset`.
    """

    METAINFO = dict(classes=('4CH', '2CH'))

    def __init__(
        self,
        data_root: str = 'data/CAMUS',
        views: str | Sequence[str] = ('4CH', '2CH'),
        **kwargs: Any,
    ) -> None:
        super().__init__(data_root=data_root, views=views, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the sequences, sorted by patient and view."""
        classes = self.metainfo['classes']
        return [{**info, 'label': classes.index(info['view'])} for info in super().load_data_list()]


def _sequence(patient: Patient, view: str) -> dict[str, Any]:
    path, info, cfg = patient.image(view, 'sequence'), patient.info(view), patient.info_file(view)
    if path is None:
        raise UserError(
            f'{patient.folder}: no sequence of view {view}; unpack the patient again, or leave out '
            'the view'
        )
    ef, rate = ejection_fraction(info), read_number(info, 'FrameRate')
    if not is_ef(ef):
        found = info.get('EF') or info.get('LVef') or 'nothing'
        raise UserError(f'{cfg}: expected an EF of 0 to 100 per cent, found {found!r}')
    cycle = []
    for instant in INSTANTS:
        frame = instant_frame(info, instant)
        if frame is None:
            stated, last = info.get(instant, ''), info.get('NbFrame', '')
            raise UserError(f'{cfg}: {instant}={stated!r} must lie between 1 and NbFrame={last!r}')
        cycle.append(frame)
    if cycle[0] == cycle[1]:
        raise UserError(f'{cfg}: ED and ES are the same frame, {cycle[0] + 1}')
    return {
        'filename': str(path),
        'patient': patient.name,
        'view': view,
        'source': patient.release,
        'quality': info.get('ImageQuality', ''),
        'modality': 'RGB',
        'start_index': 0,
        'ef': ef,
        'cycle': tuple(cycle),
        'fps': rate if 0 < rate < math.inf else None,
    }
