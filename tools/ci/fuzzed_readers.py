"""Valid files of each format, and the functions that read them as a command would."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Reader(NamedTuple):
    """A reader to attack.

    Args:
        make (Callable): Function that writes valid files into a folder and returns those to mutate.
        read (Callable): Function that reads one of them as a user's command would.
        is_text (bool): Whether to replace words rather than bytes in most mutations.
    """

    make: Callable[[Path], list[Path]]
    read: Callable[[Path], None]
    is_text: bool = False


def _frames(num_frames: int = 6) -> np.ndarray:
    t, y, x = np.ogrid[:num_frames, :48, :64]
    return (120 + 50 * np.sin((x + 3 * t) / 9) + 40 * np.cos((y - 2 * t) / 7)).astype(np.uint8)


def _make_avi(folder: Path) -> list[Path]:
    from echocardmae_mm.phantom.reproducible_files import write_avi

    path = folder / 'clip.avi'
    write_avi(path, np.repeat(_frames()[..., None], 3, -1), 50.0)
    return [path]


def _make_mp4(folder: Path) -> list[Path]:
    import av

    path = folder / 'clip.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25, options={'x264-params': 'threads=1'})
        stream.height, stream.width, stream.pix_fmt = 48, 64, 'yuv420p'
        for frame in _frames(10):
            rgb = np.repeat(frame[..., None], 3, -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format='rgb24')))
        container.mux(stream.encode(None))
    return [path]


def _make_dicom(folder: Path) -> list[Path]:
    """Write native, 16-bit, palette, RLE, JPEG and deflated files, each with a region."""
    import cv2
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import (
        UID,
        DeflatedExplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        JPEGBaseline8Bit,
        RLELossless,
        UltrasoundMultiFrameImageStorage,
    )

    grey = _frames()
    jpegs = [cv2.imencode('.jpg', frame)[1].tobytes() for frame in grey]
    kinds = {
        'rgb': (ExplicitVRLittleEndian, 'RGB', np.repeat(grey[..., None], 3, -1)),
        'grey': (ExplicitVRLittleEndian, 'MONOCHROME2', grey),
        'words': (ExplicitVRLittleEndian, 'MONOCHROME1', grey.astype(np.uint16) << 4),
        'palette': (ExplicitVRLittleEndian, 'PALETTE COLOR', grey),
        'rle': (RLELossless, 'MONOCHROME2', grey),
        'jpeg': (JPEGBaseline8Bit, 'MONOCHROME2', grey),
        'deflated': (DeflatedExplicitVRLittleEndian, 'MONOCHROME2', grey),
    }
    paths = []
    for name, (syntax, photometric, frames) in kinds.items():
        header, region = Dataset(), Dataset()
        header.file_meta = FileMetaDataset()
        header.SOPClassUID, header.SOPInstanceUID = UltrasoundMultiFrameImageStorage, UID('1.2')
        header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.file_meta.TransferSyntaxUID = (
            ExplicitVRLittleEndian if syntax == RLELossless else syntax
        )
        header.Modality, header.PatientName = 'US', 'Phantom'
        header.NumberOfFrames, header.Rows, header.Columns = frames.shape[:3]
        header.SamplesPerPixel, header.PlanarConfiguration = (3 if frames.ndim == 4 else 1), 0
        header.PhotometricInterpretation = photometric
        header.BitsAllocated = 8 * frames.itemsize
        header.BitsStored = 12 if name == 'words' else 8
        header.HighBit, header.PixelRepresentation = header.BitsStored - 1, 0
        header.FrameTime, header.CineRate, header.PixelSpacing = '20.0', 50, [0.3, 0.3]
        header.FrameTimeVector = ['0', '20', '20']
        region.RegionSpatialFormat = region.RegionDataType = 1
        region.RegionLocationMinX0, region.RegionLocationMinY0 = 2, 3
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 60, 45
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
        region.PhysicalDeltaX = region.PhysicalDeltaY = 0.03
        header.SequenceOfUltrasoundRegions = [region]
        view = Dataset()
        view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = '1', 'SCT', 'Apical 4'
        header.ViewCodeSequence = [view]
        if name == 'palette':
            for color in ('Red', 'Green', 'Blue'):
                setattr(header, f'{color}PaletteColorLookupTableDescriptor', [256, 0, 16])
                table = (np.arange(256, dtype=np.uint16) << 8).tobytes()
                setattr(header, f'{color}PaletteColorLookupTableData', table)
        header.PixelData = encapsulate(jpegs) if name == 'jpeg' else frames.tobytes()
        header['PixelData'].VR = 'OW' if name == 'words' else 'OB'
        if syntax == RLELossless:
            header.compress(RLELossless, generate_instance_uid=False)
        paths.append(folder / f'{name}.dcm')
        header.save_as(paths[-1], enforce_file_format=True)
    return paths


def _make_nifti(folder: Path) -> list[Path]:
    import nibabel

    grey = _frames().transpose(2, 1, 0)
    arrays = {
        'a.nii': grey,
        'b.nii.gz': grey[:, :, None],
        'c.nii': grey.astype(np.float32) / 7,
        'd.nii.gz': (grey[..., 0] > 120).astype(np.int16),
    }
    for name, array in arrays.items():
        image = nibabel.Nifti1Image(array, np.diag([0.3, 0.4, 1, 1]))
        image.header.set_xyzt_units('mm', 'msec')
        nibabel.save(image, folder / name)
        if name.endswith('.gz'):  # nibabel writes the time into the file
            path = folder / name
            path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), mtime=0))
    return [folder / name for name in arrays]


def _make_meta_image(folder: Path) -> list[Path]:
    pixels = _frames().tobytes()
    (folder / 'a.raw').write_bytes(pixels)
    shared = (
        'ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n'
        'TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 0.3 0.4 1\n'
        'DimSize = 64 48 6\nElementType = MET_UCHAR\n'
    )
    packed = zlib.compress(pixels)
    compressed = f'CompressedData = True\nCompressedDataSize = {len(packed)}\n'
    contents = {
        'a.mhd': f'{shared}ElementDataFile = a.raw\n'.encode(),
        'b.mha': f'{shared}ElementDataFile = LOCAL\n'.encode() + pixels,
        'c.mha': f'{shared}{compressed}ElementDataFile = LOCAL\n'.encode() + packed,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def _read_recording(path: Path) -> None:
    from echocardmae_mm.datasets.checks import open_all
    from echocardmae_mm.datasets.recordings import content_hash, open_recording
    from echocardmae_mm.datasets.recordings.synthetic import is_synthetic
    from echocardmae_mm.utils.errors import RecordingError

    content_hash(str(path))
    (opened,) = open_all([str(path)], {}, full=True, jobs=1)
    if opened.reason:
        raise RecordingError(opened.filename, opened.reason)
    assert open_recording(path).frames([0]).dtype == np.uint8
    is_synthetic(str(path))


def _read_volume(path: Path) -> None:
    from echocardmae_mm.datasets.recordings import read_labels
    from echocardmae_mm.utils.errors import UserError

    _read_recording(path)
    with suppress(UserError):
        read_labels(str(path), 4)


def _make_echonet(folder: Path) -> list[Path]:
    (folder / 'Videos').mkdir()
    files, tracings = ['FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split'], []
    for index, split in enumerate(['TRAIN', 'TRAIN', 'VAL', 'TEST']):
        stem = f'0X{index:04X}'
        (folder / 'Videos' / f'{stem}.avi').write_bytes(b'RIFF')
        files.append(f'{stem},{50 + index}.5,40.0,90.0,112,112,50,80,{split}')
        for frame, half in ((3, 9), (20, 5)):
            tracings.append(f'{stem}.avi,56,30,56,90,{frame}')
            tracings += [
                f'{stem}.avi,{56 - half},{y},{56 + half},{y},{frame}' for y in (40, 60, 80)
            ]
    (folder / 'FileList.csv').write_text('\n'.join(files) + '\n')
    rows = '\n'.join(['FileName,X1,Y1,X2,Y2,Frame', *tracings])
    (folder / 'VolumeTracings.csv').write_text(rows + '\n')
    return [folder / 'FileList.csv', folder / 'VolumeTracings.csv']


def _read_echonet(path: Path) -> None:
    from echocardmae_mm.datasets import EchoNetDynamicDataset, EchoNetSegDataset

    root = str(path.parent)
    _all(
        lambda: EchoNetDynamicDataset(data_root=root, split='train', low_ef=50.0),
        lambda: EchoNetSegDataset(data_root=root),
        lambda: _check_lists(path.parent),
    )


def _make_tables(folder: Path) -> list[Path]:
    patients = [f'p{index}' for index in range(6)]
    for name in patients:
        (folder / f'{name}.avi').write_bytes(b'RIFF')
    rows = [
        f'{name}.avi,{40 + index}.5,{("normal", "ill")[index % 2]},{name},'
        f'{("train", "val", "test")[index % 3]},4CH,50,0.3;0.4'
        for index, name in enumerate(patients)
    ]
    lists = {
        'table.csv': ['path,ef,label,patient,split,view,fps,spacing', *rows],
        'list.csv': ['filename', *(f'{name}.avi' for name in patients)],
        'list.txt': [f'{name}.avi' for name in patients],
        'split.csv': ['patient,split', *(f'{p},{s}' for p, s in zip(patients, _SPLITS * 2))],
        'folds.csv': ['patient,fold', *(f'{p},{i % 3}' for i, p in enumerate(patients))],
    }
    for name, lines in lists.items():
        (folder / name).write_text('\n'.join(lines) + '\n')
    return [folder / name for name in lists]


_SPLITS = ['train', 'val', 'test']


def _read_table(path: Path) -> None:
    from echocardmae_mm.datasets import EchoVideoDataset, RecordingTableDataset
    from echocardmae_mm.datasets.patient_folds import read_folds
    from echocardmae_mm.datasets.patient_split import read_split

    patients = [f'p{index}' for index in range(6)]
    if path.name == 'table.csv':
        RecordingTableDataset(str(path), split='train', require='ef')
    elif path.stem == 'list':
        EchoVideoDataset(ann_file=str(path))
    elif path.name == 'split.csv':
        read_split(path, patients)
    else:
        read_folds(path, patients)


def _make_camus(folder: Path) -> list[Path]:
    for number in range(1, 5):
        patient = folder / 'database_nifti' / f'patient{number:04d}'
        patient.mkdir(parents=True)
        for view in ('2CH', '4CH'):
            volumes = 'LVedv: 100.0\nLVesv: 45.0\n' if number % 2 else ''
            (patient / f'Info_{view}.cfg').write_text(
                f'ED: 1\nES: 9\nNbFrame: 12\nSex: F\nAge: 60\nImageQuality: Good\n{volumes}'
                'EF: 55\nFrameRate: 48.2\n'
            )
            for kind in ('half_sequence', 'ED', 'ED_gt', 'ES', 'ES_gt'):
                (patient / f'{patient.name}_{view}_{kind}.nii.gz').write_bytes(b'')
    lists = folder / 'database_split'
    lists.mkdir()
    (lists / 'subgroup_testing.txt').write_text('patient0004\n')
    patients = sorted((folder / 'database_nifti').glob('*/*.cfg'))
    return [*patients[:4], lists / 'subgroup_testing.txt']


def _read_camus(path: Path) -> None:
    from echocardmae_mm.datasets import CAMUSDataset, CAMUSSegDataset

    root = str(path.parent.parent if path.suffix == '.txt' else path.parents[2])
    _all(
        lambda: CAMUSDataset(data_root=root, views=('2CH', '4CH')),
        lambda: CAMUSSegDataset(data_root=root, split='train'),
        lambda: _check_lists(Path(root)),
    )


def _make_xlsx(folder: Path) -> list[Path]:
    from echocardmae_mm.phantom import hmcqu_files

    recordings = hmcqu_files.plan(4, seed=1)
    written = []
    for recording in recordings:
        path = folder / hmcqu_files.FOLDER / f'{recording.name}.avi'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b'RIFF')
        row = [recording.name, *[int(recording.infarcted)] * 6, 3, 24, 'ü']
        written.append({'view': recording.view, 'row': row, 'truth': {}})
    hmcqu_files.write_lists(folder, written)
    return [folder / hmcqu_files.FOLDER / f'{view}.xlsx' for view in ('A4C', 'A2C')]


def _read_xlsx(path: Path) -> None:
    from echocardmae_mm.datasets import HMCQUDataset

    root = str(path.parent)
    _all(
        lambda: HMCQUDataset(root, path.stem, traced_only=False, fold=0, split='test', num_folds=2),
        lambda: _check_lists(path.parent),
    )


def _make_store(folder: Path) -> list[Path]:
    from echocardmae_mm.datasets.recordings.packing import StoreWriter, pack

    videos = folder / 'videos'
    videos.mkdir()
    _make_avi(videos)
    _make_mp4(videos)
    writer = StoreWriter(folder / 'store', videos)
    list(pack(videos, sorted(videos.iterdir()), writer, map))
    writer.finish()
    return [folder / 'store' / 'index.json', folder / 'store' / 'frames.bin']


def _read_store(path: Path) -> None:
    from echocardmae_mm.datasets.recordings import PackedStore

    store = PackedStore(path.parent)
    for name in store.recordings:
        recording = store.open(name, str(path.parents[1] / 'videos' / name))
        recording.frames([0, len(recording) - 1])
    list(store.damaged())


def _check_lists(root: Path) -> None:
    from echocardmae_mm.datasets.checks import recognise
    from echocardmae_mm.utils.errors import UserError

    for findings in recognise(root):
        if findings.obstacles:
            raise UserError(findings.obstacles[0])


def _all(*calls: Callable[[], Any]) -> None:
    """Make every call; raise the first UserError at the end."""
    from echocardmae_mm.utils.errors import UserError

    errors = []
    for call in calls:
        try:
            call()
        except UserError as error:
            errors.append(error)
    if errors:
        raise errors[0]


READERS = {
    'AVI, Motion JPEG': Reader(_make_avi, _read_recording),
    'MP4, H.264': Reader(_make_mp4, _read_recording),
    'DICOM': Reader(_make_dicom, _read_recording),
    'NIfTI': Reader(_make_nifti, _read_volume),
    'MetaImage': Reader(_make_meta_image, _read_volume),
    'xlsx': Reader(_make_xlsx, _read_xlsx, is_text=True),
    'EchoNet-Dynamic CSV': Reader(_make_echonet, _read_echonet, is_text=True),
    'tables, splits, folds': Reader(_make_tables, _read_table, is_text=True),
    'CAMUS cfg': Reader(_make_camus, _read_camus, is_text=True),
    'packed store': Reader(_make_store, _read_store, is_text=True),
}
