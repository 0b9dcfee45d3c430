"""Unlabelled recordings: a folder or a list of files."""

from __future__ import annotations

import os
from typing import Any

from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import find_recordings, listed_recordings, or_phantoms
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


@DATASETS.register_module()
class EchoVideoDataset(RecordingDataset):
    """Recordings for pretraining.

    Args:
        data_root (str): Folder to search at any depth for .avi, .mp4, .mov, .mkv, .dcm, .nii,
            .nii.gz, .mhd, .mha and DICOM files without suffix, except hidden files. If ``ann_file``
            is set, its paths are relative to this folder. Defaults to ''.
        ann_file (str): A text file with one path per line, or a .csv file with a column
            ``path``; relative to ``data_root``. Defaults to '', all recordings in the folder.
        **kwargs (Any): Arguments of :class:`RecordingDataset`.

    Raises:
        UserError: If the folder or the list is missing, or contains no recording.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the recordings that exist."""
        if self.ann_file:
            paths = listed_recordings(self.ann_file, self.data_root)
        else:
            paths = find_recordings(self.data_root)
        there = [path for path in paths if os.path.isfile(path)]  # False for a name too long
        self.report = {'listed': len(paths), 'missing on disk': len(paths) - len(there)}
        if not there:
            raise UserError(
                f'{self.ann_file or self.data_root}: contains no recording; expected .avi, .mp4, '
                '.dcm, .nii.gz or .mhd files\n'
                f'Set data_root to a folder of recordings, {or_phantoms()}'
            )
        return [{'filename': str(path), 'modality': 'RGB', 'start_index': 0} for path in there]
