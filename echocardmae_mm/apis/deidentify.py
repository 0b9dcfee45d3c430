"""Copy a recording without information that identifies the patient."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from echocardmae_mm.datasets.recordings import Recording, open_recording
from echocardmae_mm.datasets.recordings.dicom import DicomRecording
from echocardmae_mm.datasets.recordings.dicom_writing import DicomIdentity, write_dicom
from echocardmae_mm.datasets.recordings.formats import Container, recording_container
from echocardmae_mm.datasets.recordings.lossless_video import pad_to_even, write_lossless_avi
from echocardmae_mm.datasets.transforms.crop_to_sector import find_sector_box
from echocardmae_mm.sector.doubts import sector_doubt
from echocardmae_mm.utils.errors import RecordingError, UserError
from echocardmae_mm.utils.pseudonyms import Pseudonyms
from echocardmae_mm.utils.text_files import utf8_name

WRITTEN, REFUSED = 'written', 'refused'
_PICTURE_HEIGHT = 240


@dataclass(frozen=True)
class Copy:
    """A recording and its de-identified copy.

    Only ``source`` and ``detail`` may identify a patient; they are messages for whoever has the
    original. The fields between them are the columns of ``recordings.csv``.

    Args:
        source (Path): The original.
        recording (str): Pseudonym of the recording.
        patient (str): Pseudonym of the patient; '' if unknown. Defaults to ''.
        file (str): The copy, relative to the output folder; '' if there is none. Defaults to ''.
        frames (int, optional): Number of frames. Defaults to None, unknown.
        height (int, optional): Height of a frame in pixels. Defaults to None.
        width (int, optional): Width of a frame in pixels. Defaults to None.
        fps (float, optional): Frames per second. Defaults to None.
        row_mm (float, optional): Height of a pixel in mm. Defaults to None.
        column_mm (float, optional): Width of a pixel in mm. Defaults to None.
        sector_share (float, optional): Share of the frame that the sector covers. Defaults to None.
        status (str): 'written' or 'refused'. Defaults to 'refused'.
        reason (str): Why it was refused. Defaults to ''.
        detail (str): The reader's reason, which may quote the original. Defaults to ''.
        pictures (tuple[bytes, ...]): The first, middle and last frame of the copy, and the darkest
            level of each pixel over time, as JPEG. Defaults to ().
    """

    source: Path
    recording: str
    patient: str = ''
    file: str = ''
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    row_mm: float | None = None
    column_mm: float | None = None
    sector_share: float | None = None
    status: str = REFUSED
    reason: str = ''
    detail: str = ''
    pictures: tuple[bytes, ...] = ()


#: Columns of ``recordings.csv``.
COLUMNS = [field.name for field in fields(Copy)][1:-2]


def deidentify(
    source: Path, root: Path, out: Path, pseudonyms: Pseudonyms, keep_names: bool = False
) -> Copy:
    """Write a de-identified copy of a recording.

    Pixels outside the ultrasound sector become black; the size, the number of frames and the pixels
    in the sector stay. A video becomes an AVI file of even height and width. DICOM, NIfTI and
    MetaImage become DICOM, which holds the pixel spacing and needs no frame rate. Both are
    compressed without loss, read again and compared. A recording whose sector is doubtful is not
    copied.

    Args:
        source (Path): The recording.
        root (Path): A folder above it; each folder directly below ``root`` is taken as a patient,
            unless a DICOM file has a Patient ID.
        out (Path): Folder of the copy.
        pseudonyms (Pseudonyms): The pseudonyms of this run.
        keep_names (bool): Whether the copy keeps the path of the recording below ``root``. Defaults
            to False, its name is its pseudonym.

    Returns:
        Copy: The copy, or the reason why there is none.

    Raises:
        UserError: If the copy cannot be written, or its name is taken.
    """
    copy = Copy(source, pseudonyms.pseudonym(str(source)))
    try:
        recording = open_recording(source)
        frames = recording.frames(np.arange(len(recording)))
        is_video = recording_container(str(source)) is Container.VIDEO
    except RecordingError as error:
        return replace(
            copy, reason='cannot be read as a B-mode recording', detail=error.explanation
        )
    if is_video:
        frames = pad_to_even(frames)
    row_mm, column_mm = recording.spacing or (None, None)
    copy = replace(
        copy,
        patient=_patient(recording, source.relative_to(root), pseudonyms),
        frames=len(frames),
        height=frames.shape[1],
        width=frames.shape[2],
        fps=recording.fps,
        row_mm=row_mm,
        column_mm=column_mm,
    )
    try:
        sector = find_sector_box(list(frames), source.name, recording.region)[1]
    except RecordingError as error:
        return replace(copy, reason='no sector found', detail=error.explanation)
    copy = replace(copy, sector_share=round(float(sector.mean()), 4))
    doubt = sector_doubt(list(frames), sector)
    if is_video and not recording.fps:
        doubt = 'unknown frame rate, which a video file must state'
    if doubt:
        return replace(copy, reason=doubt)

    frames[:, ~sector] = 0
    suffix = '.avi' if is_video else '.dcm'
    file = utf8_name(source.relative_to(root).as_posix()) if keep_names else copy.recording
    file += '' if file.lower().endswith(suffix) else suffix
    target = _reserve(out / file)
    try:
        if not is_video:
            _write_dicom(target, frames, recording, copy, pseudonyms)
        elif recording.fps:
            write_lossless_avi(target, frames, recording.fps)
    except OSError as error:  # of pydicom, without errno
        raise _incomplete(target) from error
    return replace(copy, file=file, status=WRITTEN, pictures=_pictures(_read_back(target, frames)))


def _patient(recording: Recording, below_root: Path, pseudonyms: Pseudonyms) -> str:
    identifier = ''
    if isinstance(recording, DicomRecording):
        identifier = str(recording.header.get('PatientID') or '').strip()
    if not identifier and len(below_root.parts) > 1:
        identifier = below_root.parts[0]
    return identifier and pseudonyms.pseudonym(identifier)


def _reserve(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.touch(exist_ok=False)
    except FileExistsError:
        raise UserError(
            f'{target.name}: two recordings would get this name\nRepeat without --keep-names'
        ) from None
    return target


def _write_dicom(
    target: Path, frames: np.ndarray, recording: Recording, copy: Copy, pseudonyms: Pseudonyms
) -> None:
    header: Any = recording.header if isinstance(recording, DicomRecording) else {}
    source = str(copy.source)
    identity = DicomIdentity(
        copy.patient,
        study=pseudonyms.uid(str(header.get('StudyInstanceUID') or f'study of {source}')),
        series=pseudonyms.uid(f'series of {source}'),
        instance=pseudonyms.uid(f'instance of {source}'),
    )
    lossy = header.get('LossyImageCompression') == '01'
    write_dicom(target, frames, identity, recording.fps, recording.spacing, recording.region, lossy)


def _read_back(target: Path, frames: np.ndarray) -> np.ndarray:
    """Read the copy and verify that it holds these frames."""
    try:
        written = open_recording(target)
        decoded = written.frames(np.arange(len(written)))
    except RecordingError as error:
        raise _incomplete(target) from error
    if not np.array_equal(decoded, frames):
        raise _incomplete(target)
    return decoded


def _incomplete(target: Path) -> UserError:
    return UserError(
        f'{target}: cannot be read back as it was written; is the disk full?\n'
        'Free some space and repeat the command'
    )


def _pictures(frames: np.ndarray) -> tuple[bytes, ...]:
    height, width = frames.shape[1:3]
    scale = min(1.0, _PICTURE_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = (frames[0], frames[len(frames) // 2], frames[-1], frames.min(axis=0))
    pictures = []
    for frame in shown:
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        pictures.append(cv2.imencode('.jpg', cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1].tobytes())
    return tuple(pictures)
