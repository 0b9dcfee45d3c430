"""Open a recording with the reader for its container."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from echocardmae_mm.datasets.recordings.dicom import DicomRecording
from echocardmae_mm.datasets.recordings.formats import Container, recording_container
from echocardmae_mm.datasets.recordings.meta_image import open_meta_image
from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.datasets.recordings.video import VideoRecording
from echocardmae_mm.datasets.recordings.volume import open_nifti

_READERS: dict[Container, Callable[[str], Recording]] = {
    Container.VIDEO: VideoRecording,
    Container.DICOM: DicomRecording,
    Container.NIFTI: open_nifti,
    Container.META_IMAGE: open_meta_image,
}


def open_recording(filename: str | PathLike[str]) -> Recording:
    """Open a recording in any supported container.

    Args:
        filename (str | PathLike): An .avi, .mp4, .mov, .mkv, DICOM, NIfTI (.nii, .nii.gz) or
            MetaImage (.mhd, .mha) file, recognised by its content.

    Returns:
        Recording: The recording; its pixels are decoded on demand.

    Raises:
        RecordingError: If the file is missing, empty or damaged, or not a B-mode recording.
    """
    filename = str(filename)
    return _READERS[recording_container(filename)](filename)
