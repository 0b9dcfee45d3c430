"""CAMUS for segmentation of three structures, in either release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.camus_index import (
    INSTANTS,
    NIFTI,
    VIEWS,
    Patient,
    ejection_fraction,
    find_patients_of_one_release,
    instant_frame,
    require_views,
)
from echocardmae_mm.datasets.patient_split import SPLITS, draw_split, read_split
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_text


@DATASETS.register_module()
class CAMUSSegDataset(RecordingDataset):
    """End-diastole and end-systole of each patient and view, with their label images.

    The test set consists of the official test patients (``subgroup_testing.txt`` of the NIfTI
    release, folder ``testing`` of the challenge release). A random tenth of the other patients is
    the validation set, as in the paper's 9:1 split. A sample is a frame with ``patient``, ``view``,
    ``quality``, ``source``, ``ef``, ``instant``, ``frame``, ``masks`` and ``img_path``. Frames
    without an image or labels are dropped, logged and counted in :attr:`report`. Damaged labels
    raise an error when the frame is loaded.

    Args:
        data_root (str): Folder that contains ``database_nifti`` (NIfTI release) or ``training`` and
            ``testing`` (challenge release), or one of these folders.
        split (str, optional): 'train', 'val' or 'test', case-insensitive. Defaults to None, all.
        views (str | Sequence[str]): '4CH', '2CH' or both. Defaults to both.
        split_file (str): CSV file with the columns ``patient`` and ``split``, which replaces the
            official and random split. Defaults to ''.
        val_share (float): Share of the patients outside the test set to use for validation.
            Defaults to 0.1.
        in_sequence (bool): Whether a sample is a frame of its sequence, for models that segment
            clips, instead of an image of its own. ``masks`` then has both instants of the view.
            Defaults to False.
        **kwargs (Any): Arguments of :class:`RecordingDataset`.

    Attributes:
        splits (dict[str, str]): Split of each patient; training saves it as ``split.csv``.

    Raises:
        UserError: If there is no patient, the folder contains both releases, the list of test
            patients is missing, or the split or a view does not exist.
    """

    METAINFO = dict(
        classes=('background', 'left ventricle', 'myocardium', 'left atrium'),
        palette=[[0, 0, 0], [230, 75, 53], [77, 187, 213], [0, 160, 135]],
    )

    def __init__(
        self,
        data_root: str = 'data/CAMUS',
        split: str | None = None,
        views: str | Sequence[str] = VIEWS,
        split_file: str = '',
        val_share: float = 0.1,
        in_sequence: bool = False,
        **kwargs: Any,
    ) -> None:
        if split is not None and split.lower() not in SPLITS:
            raise UserError(f'CAMUSSegDataset: split={split!r} is unknown; choose one of {SPLITS}')
        self.split = split
        self.views = require_views(views)
        self.split_file = split_file
        self.val_share = val_share
        self.in_sequence = in_sequence
        self.splits: dict[str, str] = {}
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the labelled frames, sorted by patient, view and instant."""
        patients = find_patients_of_one_release(self.data_root)
        self.splits = self._assign_splits(patients) if self.split else {}
        chosen = [
            patient
            for patient in patients
            if self.split is None or self.splits[patient.name] == self.split.lower()
        ]
        dropped: Counter[str] = Counter()
        frames = [
            frame
            for patient in chosen
            for view in self.views
            for frame in self._labelled_frames(patient, view, dropped)
        ]
        self.report = {
            f'patients of the {patients[0].release}': len(patients),
            'patients of the split': len(chosen),
            **dropped,
        }
        if not frames:
            raise UserError(
                f'{self.data_root}: none of {len(chosen)} patients has a labelled frame of '
                f'{" or ".join(self.views)}; unpack the *_gt files into the folders of the images'
            )
        return frames

    def recording_of(self, data_info: dict[str, Any]) -> str:
        """Path of the sequence that contains the frame; of the frame if there is no sequence."""
        return data_info['sequence']

    def _assign_splits(self, patients: list[Patient]) -> dict[str, str]:
        names = [patient.name for patient in patients]
        if self.split_file:
            return read_split(self.split_file, names)
        return draw_split(names, _official_test(self.data_root, patients), self.val_share)

    def _labelled_frames(
        self, patient: Patient, view: str, dropped: Counter[str]
    ) -> list[dict[str, Any]]:
        info, frames = patient.info(view), []
        for instant in INSTANTS:
            image, labels = patient.image(view, instant), patient.image(view, f'{instant}_gt')
            if image is None or labels is None:
                missing = 'labels' if image else 'image'
                if not patient.may_lack_labels:
                    print_log(f'{patient.folder}: no {missing} of {view} at {instant}', 'current')
                dropped[f'frames without {missing} (dropped)'] += 1
                continue
            frames.append(
                {
                    'filename': str(image),
                    'img_path': str(image),
                    'sequence': str(patient.image(view, 'sequence') or image),
                    'patient': patient.name,
                    'view': view,
                    'source': patient.release,
                    'quality': info.get('ImageQuality', ''),
                    'ef': ejection_fraction(info),
                    'instant': instant,
                    'frame': 0,
                    'masks': {0: str(labels)},
                    'num_classes': len(self.METAINFO['classes']),
                    'seg_fields': [],
                    'reduce_zero_label': False,
                }
            )
        return (
            self._frames_of_sequence(patient, view, frames, dropped) if self.in_sequence else frames
        )

    def _frames_of_sequence(
        self, patient: Patient, view: str, frames: list[dict[str, Any]], dropped: Counter[str]
    ) -> list[dict[str, Any]]:
        sequence, info = patient.image(view, 'sequence'), patient.info(view)
        numbers = [instant_frame(info, frame['instant']) for frame in frames]
        if sequence is None or None in numbers:
            print_log(f'{patient.folder}: no sequence of {view} with ED and ES', 'current')
            dropped['frames without a sequence (dropped)'] += len(frames)
            return []
        masks = {number: frame['masks'][0] for number, frame in zip(numbers, frames)}
        return [
            {**frame, 'filename': str(sequence), 'modality': 'RGB', 'frame': number, 'masks': masks}
            for number, frame in zip(numbers, frames)
        ]


def _official_test(root: str, patients: list[Patient]) -> set[str]:
    if patients[0].release == NIFTI:
        path = patients[0].folder.parent.parent / 'database_split' / 'subgroup_testing.txt'
        if not path.is_file():
            raise UserError(
                f'{path}: not found; it lists the official test patients\n'
                'Unpack database_split next to database_nifti, or set split_file'
            )
        names = set(read_text(path).split())
    else:
        names = {patient.name for patient in patients if patient.may_lack_labels}
    test = names & {patient.name for patient in patients}
    if not test:
        raise UserError(
            f'{root}: contains none of the official test patients; define a split in split_file'
        )
    return test
