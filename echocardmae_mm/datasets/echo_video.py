"""Unlabelled recordings: a folder tree or a list of files, as a hospital has them."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import (
    find_recordings,
    listed_recordings,
    or_phantoms,
)
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


@DATASETS.register_module()
class EchoVideoDataset(RecordingDataset):
    """Recordings for pretraining: a folder tree, or a list of files.

    Args:
        data_root (str): Folder that is searched with all its folders for .avi, .mp4, .mov, .mkv,
            .dcm, .nii, .nii.gz, .mhd, .mha and DICOM files without suffix; hidden ones are left
            out. With ``ann_file``, the folder that its paths are relative to. Defaults to ''.
        ann_file (str): A text file of one path a line, or a .csv with a column ``filename``;
            relative to ``data_root``. Defaults to '', all that the folder holds.
        **kwargs (Any): Further arguments of :class:`RecordingDataset`.

    Raises:
        UserError: If the folder or the list is missing or names no recording, or the store is none.
    """

    def __init__(self, data_root: str = '', ann_file: str = '', **kwargs: Any) -> None:
        super().__init__(data_root=data_root, ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Find the recordings.

        Returns:
            list[dict]: One dict a recording: filename, modality, start_index.
        """
        paths = (
            listed_recordings(self.ann_file, self.data_root)
            if self.ann_file
            else find_recordings(self.data_root)
        )
        there = [path for path in paths if path.is_file()]
        self.report = {'listed': len(paths), 'missing on disk': len(paths) - len(there)}
        if not there:
            place = self.ann_file or self.data_root
            raise UserError(
                f'{place}: no recording in it; expected .avi, .mp4, .dcm, .nii.gz or .mhd files\n'
                f'Set data_root to a folder of recordings, {or_phantoms()}'
            )
        return [{'filename': str(path), 'modality': 'RGB', 'start_index': 0} for path in there]
