"""The traced frames of CAMUS, in either release, for segmentation of three structures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.camus import VIEWS, require_one_release
from echocardmae_mm.datasets.camus_index import NIFTI, Patient, ejection_fraction, find_patients
from echocardmae_mm.datasets.patient_folds import SPLITS
from echocardmae_mm.datasets.patient_split import draw_split, read_split
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recordings import open_recording, read_labels
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import RecordingError, UserError

_TEST_LIST = 'database_split/subgroup_testing.txt'
_INSTANTS = ('ED', 'ES')


@DATASETS.register_module()
class CAMUSSegDataset(RecordingDataset):
    """End-diastole and end-systole of each patient and view, with their label images.

    The official test patients test (``subgroup_testing.txt`` of the NIfTI release, the folder
    ``testing`` of the challenge's); of the others a tenth, drawn by patient, validates: the paper's
    9:1. Both views and both instants of a patient are always on the same side. Each frame is a
    sample with ``patient``, ``view``, ``quality``, ``source``, ``ef``, ``instant``, ``frame``,
    ``masks`` and ``img_path``.

    Patients without a view, an instant or its labels are left out there, told and counted. So are,
    where ``test_mode=True``, frames whose labels are damaged or unknown: an evaluation goes on, and
    its number of images says how many are left. Training finds them when it meets them.

    Args:
        data_root (str): Folder of ``database_nifti`` (NIfTI release), of ``training`` and
            ``testing`` (challenge's release), or one of these itself.
        split (str, optional): 'train', 'val' or 'test', in any case. Defaults to None, all.
        views (str | Sequence[str]): '4CH', '2CH' or both. Defaults to both.
        split_file (str): CSV of the columns ``patient`` and ``split`` in place of the official list
            and the draw. Defaults to ''.
        val_share (float): Share of the patients that do not test which validates. Defaults to 0.1.
        **kwargs (Any): Further arguments of :class:`RecordingDataset`.

    Attributes:
        splits (dict[str, str]): The split of each patient; a run stores it as ``split.csv``.

    Raises:
        UserError: If there is no patient, the folder holds both releases, no list says which
            patients test, or the split or a view does not exist.
    """

    METAINFO = dict(
        classes=('background', 'left ventricle', 'myocardium', 'left atrium'),
        palette=[[0, 0, 0], [230, 75, 53], [77, 187, 213], [0, 160, 135]],
    )
    splits: dict[str, str]

    def __init__(
        self,
        data_root: str = 'data/CAMUS',
        split: str | None = None,
        views: str | Sequence[str] = VIEWS,
        split_file: str = '',
        val_share: float = 0.1,
        **kwargs: Any,
    ) -> None:
        self.views = [view.upper() for view in ([views] if isinstance(views, str) else views)]
        if unknown := set(self.views) - set(VIEWS):
            raise UserError(f'CAMUSSegDataset: view {min(unknown)!r} is unknown; choose of {VIEWS}')
        if split is not None and split.lower() not in SPLITS:
            raise UserError(f'CAMUSSegDataset: split={split!r} is unknown; choose one of {SPLITS}')
        self.split = split
        self.split_file = split_file
        self.val_share = val_share
        self.splits = {}
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the patients' folders.

        Returns:
            list[dict]: One dict a frame, sorted by patient, view and instant.
        """
        patients = find_patients(Path(self.data_root))
        require_one_release(self.data_root, patients)
        self.splits = self._draw_or_read(patients) if self.split else {}
        chosen = [
            patient
            for patient in patients
            if self.split is None or self.splits[patient.name] == self.split.lower()
        ]
        left_out: Counter[str] = Counter()
        frames = [
            frame
            for patient in chosen
            for view in self.views
            for frame in self._frames(patient, view, left_out)
        ]
        self.report = {
            f'patients of the {patients[0].release}': len(patients),
            'patients of the split': len(chosen),
            **left_out,
        }
        if not frames:
            raise UserError(
                f'{self.data_root}: none of {len(chosen)} patients has a labelled frame of '
                f'{" or ".join(self.views)}; unpack the files *_gt beside the images'
            )
        print_log(f'CAMUSSegDataset reads the {patients[0].release}: {self.data_root}', 'current')
        return frames

    def recording_of(self, data_info: dict[str, Any]) -> str:
        """The sequence that a frame was taken from: pretraining saw that, and not the frame's file.

        Args:
            data_info (dict): A sample as :meth:`load_data_list` gives it.

        Returns:
            str: Path of the sequence, or of the frame where there is none.
        """
        return data_info['sequence']

    def _draw_or_read(self, patients: list[Patient]) -> dict[str, str]:
        names = [patient.name for patient in patients]
        if self.split_file:
            return read_split(self.split_file, names)
        return draw_split(names, _official_test(self.data_root, patients), self.val_share)

    def _frames(self, patient: Patient, view: str, left_out: Counter[str]) -> list[dict[str, Any]]:
        frames = []
        for instant in _INSTANTS:
            image = patient.image(view, instant)
            labels = patient.image(view, f'{instant}_gt')
            if image is None or labels is None:
                what = 'labels' if image else 'image'
                if not patient.is_hidden:
                    print_log(f'{patient.folder}: no {what} of {view} at {instant}', 'current')
                left_out[f'frames without {what} (dropped)'] += 1
                continue
            if self.test_mode and (fault := self._fault_of(image, labels)):
                print_log(f'left out: {fault}', 'current')
                left_out['frames with unusable labels (dropped)'] += 1
                continue
            frames.append(
                {
                    'filename': str(image),
                    'img_path': str(image),
                    'sequence': str(patient.image(view, 'sequence') or image),
                    'patient': patient.name,
                    'view': view,
                    'source': patient.release,
                    'quality': patient.info(view).get('ImageQuality', ''),
                    'ef': ejection_fraction(patient.info(view)),
                    'instant': instant,
                    'frame': 0,
                    'masks': {0: str(labels)},
                    'num_classes': len(self.METAINFO['classes']),
                    'seg_fields': [],
                    'reduce_zero_label': False,
                }
            )
        return frames

    def _fault_of(self, image: Path, labels: Path) -> str | None:
        try:
            shape = read_labels(str(labels), len(self.METAINFO['classes'])).shape
            if shape != open_recording(image).frames([0]).shape[1:3]:
                raise RecordingError(str(labels), 'is of another size than its image')
        except RecordingError as error:
            return str(error)
        return None


def _official_test(root: str, patients: list[Patient]) -> set[str]:
    if patients[0].release == NIFTI:
        path = patients[0].folder.parent.parent / _TEST_LIST
        if not path.is_file():
            raise UserError(
                f'{path}: not found; it names the official test patients\n'
                'Unpack database_split beside database_nifti, or give a split_file'
            )
        names = set(path.read_text().split())
    else:
        names = {patient.name for patient in patients if patient.is_hidden}
    test = names & {patient.name for patient in patients}
    if not test:
        raise UserError(
            f'{root}: none of the official test patients is there; give a split_file to name others'
        )
    return test
