"""Write DICOM files from the pixels and metadata of a :class:`Recording` alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

_NOT_CALIBRATED, _CENTIMETRE = 0, 3
_TWO_D_TISSUE = 1
#: Attributes that DICOM requires and allows to be empty (type 2).
_EMPTY = (
    'AccessionNumber',
    'InstanceNumber',
    'Manufacturer',
    'PatientBirthDate',
    'PatientOrientation',
    'PatientSex',
    'ReferringPhysicianName',
    'SeriesNumber',
    'StudyDate',
    'StudyID',
    'StudyTime',
)


class DicomIdentity(NamedTuple):
    """Names in a DICOM file, all of them pseudonyms.

    Args:
        patient (str): Patient ID and Patient's Name; '' for an unknown patient.
        study (str): Study Instance UID.
        series (str): Series Instance UID.
        instance (str): SOP Instance UID.
    """

    patient: str
    study: str
    series: str
    instance: str


def write_dicom(
    path: Path,
    frames: np.ndarray,
    identity: DicomIdentity,
    fps: float | None = None,
    spacing: tuple[float, float] | None = None,
    region: tuple[int, int, int, int] | None = None,
    lossy: bool = False,
) -> None:
    """Write a multi-frame ultrasound image, compressed without loss (JPEG 2000).

    The file is built from these arguments alone: no element is copied from another file.

    Args:
        path (Path): The file.
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3); equal channels are written as one.
        identity (DicomIdentity): Patient and UIDs.
        fps (float, optional): Frames per second. Defaults to None, unknown.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None, unknown.
        region (tuple[int, int, int, int], optional): Bounds of the ultrasound image: left, top,
            right, bottom in pixels. Defaults to None, unknown.
        lossy (bool): Whether the frames were compressed with loss before. Defaults to False.
    """
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UltrasoundMultiFrameImageStorage

    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.SOPClassUID = UltrasoundMultiFrameImageStorage
    header.SOPInstanceUID = identity.instance
    header.StudyInstanceUID = identity.study
    header.SeriesInstanceUID = identity.series
    header.PatientID = header.PatientName = identity.patient
    header.PatientIdentityRemoved = 'YES'
    header.DeidentificationMethod = 'echocardmae_mm: new file; black outside the sector'
    header.Modality = 'US'
    header.ImageType = ['DERIVED', 'PRIMARY', '', '0001']
    header.LossyImageCompression = '01' if lossy else '00'
    for keyword in _EMPTY:
        setattr(header, keyword, None)
    if fps:
        header.FrameTime = _decimal(1000 / fps)
        header.FrameIncrementPointer = 0x00181063  # Frame Time
    if region:
        header.SequenceOfUltrasoundRegions = [_region(region, spacing)]
    elif spacing:
        header.PixelSpacing = [_decimal(size) for size in spacing]
    _add_pixels(header, frames)
    dcmwrite(path, header, enforce_file_format=True)


def _decimal(value: float) -> str:
    """A decimal string, at most 16 characters."""
    return f'{value:.10g}'


def _region(region: tuple[int, int, int, int], spacing: tuple[float, float] | None) -> Dataset:
    """Item of Sequence of Ultrasound Regions, DICOM PS3.3 C.8.5.5."""
    from pydicom import Dataset

    item = Dataset()
    item.RegionSpatialFormat = item.RegionDataType = _TWO_D_TISSUE
    item.RegionFlags = 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = region[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = region[2:]
    unit = _CENTIMETRE if spacing else _NOT_CALIBRATED
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = unit
    row, column = spacing or (0.0, 0.0)
    item.PhysicalDeltaX, item.PhysicalDeltaY = column / 10, row / 10
    return item


def _add_pixels(header: Dataset, frames: np.ndarray) -> None:
    from pydicom.uid import JPEG2000Lossless

    grey = bool((frames == frames[..., :1]).all())
    pixels, colours = (frames[..., 0], 'MONOCHROME2') if grey else (frames, 'RGB')
    header.set_pixel_data(pixels, colours, 8, generate_instance_uid=False)
    if not grey:
        header.PhotometricInterpretation = 'YBR_RCT'  # what JPEG 2000 makes of RGB
    header.compress(JPEG2000Lossless, generate_instance_uid=False)
