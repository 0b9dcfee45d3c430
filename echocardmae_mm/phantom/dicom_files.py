"""Write ultrasound DICOM files with various colour spaces, compressions, regions and faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from echocardmae_mm.phantom.recording import Phantom, make_phantom
from echocardmae_mm.phantom.truth import write_rows, write_truth
from echocardmae_mm.utils.synthetic_mark import SYNTHETIC_MARK

FOLDER = 'DICOM'
_CODE = 4
_TWO_D, _M_MODE = 1, 2
_TISSUE, _COLOUR_FLOW = 1, 2
_CENTIMETRES, _SECONDS = 3, 4


@dataclass(frozen=True)
class Kind:
    """Encoding and content of one file.

    Args:
        name (str): Last part of the file name.
        photometric (str): Photometric interpretation.
        jpeg (bool): Encapsulated JPEG baseline frames. Defaults to False.
        content (str): 'tissue', or 'doppler', 'mmode' or 'still', which are not B-mode recordings.
            Defaults to 'tissue'.
    """

    name: str
    photometric: str
    jpeg: bool = False
    content: str = 'tissue'


KINDS = (
    Kind('rgb', 'RGB'),
    Kind('ybr_jpeg', 'YBR_FULL_422', jpeg=True),
    Kind('mono', 'MONOCHROME2'),
    Kind('mono_jpeg', 'MONOCHROME2', jpeg=True),
    Kind('ybr', 'YBR_FULL'),
    Kind('doppler', 'YBR_FULL_422', jpeg=True, content='doppler'),
    Kind('mmode', 'RGB', content='mmode'),
    Kind('still', 'YBR_FULL_422', jpeg=True, content='still'),
)


@dataclass(frozen=True)
class Recording:
    """One file of the set to generate: its number, name and kind."""

    index: int
    name: str
    kind: Kind


def plan(count: int, seed: int) -> list[Recording]:
    """Plan ``count`` files that cycle through :data:`KINDS`."""
    kinds = [KINDS[i % len(KINDS)] for i in range(count)]
    return [Recording(i, f'{i:04d}_{kind.name}', kind) for i, kind in enumerate(kinds)]


def write_recording(root: Path, recording: Recording, seed: int, variant: str) -> dict[str, Any]:
    """Generate one file with its truth, and return its row for the truth list."""
    path, kind = [seed, _CODE, recording.index], recording.kind
    rng = np.random.default_rng([*path, 7])
    screens = ('portable', 'clip', 'vendor') if kind.jpeg else ('portable', 'clip')
    screen = str(rng.choice(screens))
    phantom = make_phantom(path, variant, screen=screen, num_frames=int(rng.integers(28, 49)))
    frames = phantom.frames
    if kind.content == 'doppler':
        frames = with_flow(phantom)
    elif kind.content == 'mmode':
        frames = _m_mode(phantom)
    elif kind.content == 'still':
        frames = frames[:1]
    target = root / FOLDER / f'{recording.name}.dcm'
    target.parent.mkdir(parents=True, exist_ok=True)
    header = _header(recording, phantom, len(frames), seed)
    _add_pixels(header, frames, kind)
    pydicom.dcmwrite(target, header, enforce_file_format=True)
    truth = write_truth(root / 'truth' / FOLDER / f'{recording.name}.npz', phantom)
    return {**truth, 'content': kind.content, 'photometric': kind.photometric}


def write_lists(root: Path, written: Sequence[dict[str, Any]]) -> None:
    """Write the truth list; DICOM files need no other list."""
    write_rows(root / 'truth' / f'{FOLDER}.csv', written)


def _uid(seed: int, recording: Recording, part: str) -> str:
    return generate_uid(entropy_srcs=['phantom', str(seed), str(recording.index), part])


def _header(recording: Recording, phantom: Phantom, count: int, seed: int) -> Dataset:
    """Create a data set without pixels; the patient's name says phantom, and the date is fixed."""
    kind = recording.kind
    still = count == 1
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit if kind.jpeg else ExplicitVRLittleEndian
    header = Dataset()
    header.file_meta = meta
    header.SOPClassUID = UltrasoundImageStorage if still else UltrasoundMultiFrameImageStorage
    header.SOPInstanceUID = _uid(seed, recording, 'instance')
    header.StudyInstanceUID = _uid(seed, recording, 'study')
    header.SeriesInstanceUID = _uid(seed, recording, 'series')
    header.Modality = 'US'
    header.Manufacturer = SYNTHETIC_MARK
    header.PatientName = f'Phantom^{recording.index}'
    header.PatientID = f'PHANTOM{recording.index:04d}'
    header.StudyDate = header.ContentDate = '20200101'
    header.StudyTime = header.ContentTime = '120000'
    header.HeartRate = str(round(phantom.patient.heart_rate))
    header.UltrasoundColorDataPresent = int(kind.content == 'doppler')
    if not still:
        header.NumberOfFrames = count
        header.FrameTime = f'{1000.0 / phantom.fps:.4f}'
        header.FrameIncrementPointer = 0x00181063
        header.CineRate = header.RecommendedDisplayFrameRate = round(phantom.fps)
    header.SequenceOfUltrasoundRegions = _regions(kind, phantom)
    return header


def _regions(kind: Kind, phantom: Phantom) -> list[Dataset]:
    rows, columns = (
        np.flatnonzero(phantom.sector_mask.any(1)),
        np.flatnonzero(phantom.sector_mask.any(0)),
    )
    box = (int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))
    if kind.content == 'mmode':
        return [_region(box, phantom, _M_MODE, _TISSUE)]
    regions = [_region(box, phantom, _TWO_D, _TISSUE)]
    if kind.content == 'doppler':
        regions.append(_region(box, phantom, _TWO_D, _COLOUR_FLOW))
    return regions


def _region(box: tuple[int, int, int, int], phantom: Phantom, space: int, data: int) -> Dataset:
    """Create an item of Sequence of Ultrasound Regions (PS3.3 C.8.5.5), with spacing in cm."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = space, data, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2:]
    item.PhysicalUnitsXDirection = _SECONDS if space == _M_MODE else _CENTIMETRES
    item.PhysicalUnitsYDirection = _CENTIMETRES
    item.PhysicalDeltaX, item.PhysicalDeltaY = phantom.spacing[1] / 10, phantom.spacing[0] / 10
    return item


def _add_pixels(header: Dataset, frames: NDArray[np.uint8], kind: Kind) -> None:
    """Convert the RGB frames to the colour space of the file and store them."""
    grey = kind.photometric == 'MONOCHROME2'
    header.Rows, header.Columns = frames.shape[1:3]
    header.SamplesPerPixel = 1 if grey else 3
    header.PhotometricInterpretation = kind.photometric
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit, header.PixelRepresentation = 7, 0
    if not grey:
        header.PlanarConfiguration = 0
    if kind.jpeg:
        options = [cv2.IMWRITE_JPEG_QUALITY, 92]
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
        code = cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR
        coded = [cv2.imencode('.jpg', cv2.cvtColor(f, code), options)[1].tobytes() for f in frames]
        header.PixelData = encapsulate(coded)
        header['PixelData'].VR = 'OB'
        header.LossyImageCompression = '01'
        return
    if grey:
        frames = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    elif kind.photometric == 'YBR_FULL':
        ordered = (cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]] for frame in frames)
        frames = np.stack(list(ordered))
    content = frames.tobytes()
    header.PixelData = content + b'\0' * (len(content) % 2)
    header['PixelData'].VR = 'OB'


def with_flow(phantom: Phantom) -> NDArray[np.uint8]:
    """Colour the mitral inflow: red towards the probe, blue away, aliasing where it is fast."""
    frames = phantom.frames.copy()
    change = np.gradient(phantom.volumes)
    for frame, labels, flow in zip(frames, phantom.labels, change / np.abs(change).max()):
        blood = cv2.erode(np.isin(labels, (1, 3)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        blood &= np.abs(flow) > 0.15
        strength = np.uint8(90 + 160 * abs(flow))
        frame[blood] = (strength, strength // 3, 0) if flow > 0 else (0, strength // 3, strength)
    return frames


def _m_mode(phantom: Phantom) -> NDArray[np.uint8]:
    """Sweep the middle column of the picture over time, in two screens."""
    middle = int(phantom.heart.view.origin[0])
    sweep = phantom.frames[:, :, middle].transpose(1, 0, 2)
    size = phantom.frames.shape[2], phantom.frames.shape[1]
    half = sweep.shape[1] // 2
    return np.stack([cv2.resize(part, size) for part in (sweep[:, :half], sweep[:, half:])])
