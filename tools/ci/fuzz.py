"""Mutate valid files, read them in a separate process, and print a Markdown table of the outcomes.

    python tools/ci/fuzz.py --mutations 10000
    python tools/ci/fuzz.py dicom --replay 4711

A mutated file must be read, or refused with a UserError. Failures are any other exception, the
death of the process, and more memory or time than the limits; they are printed with the number that
replays them. Seed, reader and number determine the bytes of a mutation.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import io
import multiprocessing
import os
import re
import resource
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PRELOAD = [
    'echocardmae_mm.datasets.checks',
    'echocardmae_mm.phantom.hmcqu_files',
    'nibabel',
    'pydicom',
]
SECONDS = 20
MEMORY_MB = 1024
READ, REFUSED = 'read', 'refused'

Rng = np.random.Generator
_INTEGERS = (0, 1, 2, 3, 7, 8, 9, 255, 256, 0x7F, 0x80, 0x7FFF, 0x8000, 0xFFFF)
_LARGE = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 1 << 63, (1 << 64) - 1)
_WORDS = (
    *(b'', b'-1', b'0', b'1', b'3', b'1.5', b'-0.0', b'nan', b'inf', b'-inf', b'1e999', b'1e308'),
    *(b'4294967295', b'9' * 40, b'9' * 5000, b'0x10', b'1_0', b'True', b'None', b'%s%n', b'../x'),
    *(b'\xff\xfe', b'\xe9', b'\xef\xbb\xbf', '\u0663\u00b2'.encode(), b'\0', b'"', b'""', b"'"),
    *(b',', b';', b'\t', b'\n', b'\r', b':', b'=', b'x' * 5000, b' ', b'LIST', b'/dev/zero', b'/'),
)
_WORD = re.compile(rb'[^\s,:=;<>"/]+')


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


# Mutations


def mutate(content: bytes, rng: Rng, is_text: bool, name: str = '') -> bytes:
    """Change a file in one to four places; the parts of archives are changed before packing."""
    if rng.random() < 0.7:
        if name.endswith('.gz'):
            return gzip.compress(_changed(gzip.decompress(content), rng, is_text), mtime=0)
        if name.endswith('.xlsx'):
            return _with_mutated_part(content, rng)
    return _changed(content, rng, is_text)


def _with_mutated_part(content: bytes, rng: Rng) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, 'w') as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            part = old.read(name)
            part = _changed(part, rng, True) if name == chosen else part
            new.writestr(zipfile.ZipInfo(name), part)
    return packed.getvalue()


def _changed(content: bytes, rng: Rng, is_text: bool) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        kinds = _TEXT_KINDS if is_text else _BINARY_KINDS
        kinds[rng.integers(len(kinds))](changed, rng)
    if rng.random() < 0.1:
        del changed[rng.integers(len(changed) + 1) :]
    return bytes(changed)


def _place(content: bytearray, rng: Rng) -> int:
    """Choose a position in a file; half of the time in its header, which matters most."""
    end = min(len(content), 600) if rng.random() < 0.5 else len(content)
    return int(rng.integers(max(end, 1)))


def _flip(content: bytearray, rng: Rng) -> None:
    for _ in range(rng.integers(1, 9)):
        if content:
            content[_place(content, rng)] ^= 1 << int(rng.integers(8))


def _integer(content: bytearray, rng: Rng) -> None:
    size = int(rng.choice([1, 2, 4, 8]))
    values = (*_INTEGERS, *_LARGE)
    value = values[rng.integers(len(values))] & ((1 << 8 * size) - 1)
    start = _place(content, rng)
    order: Any = ('little', 'big')[rng.integers(2)]
    content[start : start + size] = value.to_bytes(size, order)


def _splice(content: bytearray, rng: Rng) -> None:
    """Copy a chunk over another place, insert it there, or delete it."""
    start, target = _place(content, rng), _place(content, rng)
    chunk = content[start : start + int(2 ** rng.uniform(0, 12))]
    action = rng.integers(4)
    if action == 0:
        content[target : target + len(chunk)] = chunk
    elif action == 1:
        content[target:target] = chunk
    elif action == 2:
        del content[start : start + len(chunk)]
    else:
        content[start : start + len(chunk)] = bytes(len(chunk))


def _words(content: bytearray, rng: Rng) -> None:
    found = list(_WORD.finditer(content))
    if not found:
        return _integer(content, rng)
    word = found[rng.integers(len(found))]
    other = found[rng.integers(len(found))][0]
    new = other if rng.random() < 0.2 else _WORDS[rng.integers(len(_WORDS))]
    content[word.start() : word.end()] = new


_BINARY_KINDS = (_flip, _integer, _integer, _splice)
_TEXT_KINDS = (_words, _words, _words, _splice)

# Valid files and their readers


def _frames(num_frames: int = 6, height: int = 48, width: int = 64) -> np.ndarray:
    t, y, x = np.ogrid[:num_frames, :height, :width]
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


# The reading process and its monitor


class Outcome(NamedTuple):
    """Result of one mutation: :data:`READ`, :data:`REFUSED` or a failure; and its explanation."""

    kind: str
    detail: str = ''


class Watched:
    """Reads mutations of one reader in a process that is replaced when it dies.

    Args:
        name (str): Key of :data:`READERS`.
        seed (int): Seed of the mutations.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self._context = multiprocessing.get_context('forkserver')
        self._context.set_forkserver_preload(PRELOAD)
        self._process: Any = None

    def __enter__(self) -> Watched:
        self._folder = tempfile.TemporaryDirectory(prefix='fuzz')
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def outcome(self, index: int) -> Outcome:
        """Read mutation number ``index``."""
        if self._process is None or not self._process.is_alive():
            self._start()
        self._pipe.send(index)
        try:
            if not self._pipe.poll(SECONDS):
                self._end()
                return Outcome('hang', f'more than {SECONDS} s')
            outcome: Outcome = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            return Outcome('crash', f'exit status {code}')
        if outcome.kind == 'memory':  # the peak of a process never falls
            self._end()
        return outcome

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        arguments = (self.name, self.seed, self._folder.name, theirs)
        self._process = self._context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        if unread := self._pipe.recv():
            raise RuntimeError(f'{self.name}: its valid files cannot be read: {unread}')

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None


def _serve(name: str, seed: int, scratch: str, pipe: Any) -> None:
    reader = READERS[name]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        _silence()
        files = reader.make(Path(folder))
        originals = [path.read_bytes() for path in files]
        unread = [outcome for path in files if (outcome := _read(reader, path)).kind != READ]
        gc.freeze()  # mmengine collects garbage for each data set
        most = _peak_memory_mb() + MEMORY_MB
        pipe.send(unread)
        while True:
            try:
                index = pipe.recv()
            except EOFError:
                return
            path, original = files[index % len(files)], originals[index % len(files)]
            path.write_bytes(mutation(name, seed, index, path.name, original))
            outcome = _read(reader, path)
            path.write_bytes(original)
            peak = _peak_memory_mb()
            if peak > most:
                outcome = Outcome('memory', f'{peak - most + MEMORY_MB} MB; {outcome}')
            pipe.send(outcome)


def mutation(reader: str, seed: int, index: int, name: str, content: bytes) -> bytes:
    """The bytes of one mutation of a file of the given name and content."""
    rng = np.random.default_rng([seed, zlib.crc32(reader.encode()), index])
    return mutate(content, rng, READERS[reader].is_text, name)


def _read(reader: Reader, path: Path) -> Outcome:
    from echocardmae_mm.utils.errors import UserError

    try:
        reader.read(path)
    except UserError as error:
        lines = str(error).splitlines()
        if len(lines) > 3:
            return Outcome('long message', f'{len(lines)} lines: {error!r:.300}')
        return Outcome(REFUSED, f'{error!s:.300}')
    except Exception as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if 'echocardmae_mm' in frame.filename] or frames
        place = f'{Path(ours[-1].filename).name}:{ours[-1].lineno}'
        return Outcome('traceback', f'{type(error).__name__} in {place}: {error!s:.200}')
    return Outcome(READ)


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115


def _peak_memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def outcomes(name: str, seed: int, indices: range) -> Iterator[tuple[int, Outcome]]:
    """Read mutations; yield the number and outcome of each."""
    with Watched(name, seed) as watched:
        for index in indices:
            yield index, watched.outcome(index)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('readers', nargs='*', help=f'some of: {", ".join(READERS)} (default: all)')
    parser.add_argument('--mutations', type=int, default=10000, help='mutations of each reader')
    parser.add_argument('--seed', type=int, default=1, help='seed of the mutations')
    parser.add_argument('--replay', type=int, help='read only this mutation, and keep its file')
    args = parser.parse_args()
    names = [name for name in READERS if not args.readers or any(r in name for r in args.readers)]
    if args.replay is not None:
        replay(names[0], args.seed, args.replay)
        return
    print('| files | mutations | read | refused | failures |')
    print('|---|---:|---:|---:|---:|')
    failed = 0
    for name in names:
        counts: Counter[str] = Counter()
        for index, outcome in outcomes(name, args.seed, range(args.mutations)):
            counts[outcome.kind] += 1
            if outcome.kind not in (READ, REFUSED):
                print(f'{name} --replay {index}: {outcome.kind}, {outcome.detail}', file=sys.stderr)
        found = args.mutations - counts[READ] - counts[REFUSED]
        failed += found
        numbers = (args.mutations, counts[READ], counts[REFUSED], found)
        print('|', ' | '.join([name, *(f'{number:,}' for number in numbers)]), '|', flush=True)
    sys.exit(failed > 0)


def replay(name: str, seed: int, index: int) -> None:
    """Read one mutation in this process, with its traceback, and keep its files."""
    folder = Path(tempfile.mkdtemp(prefix='replay'))
    files = READERS[name].make(folder)
    path = files[index % len(files)]
    path.write_bytes(mutation(name, seed, index, path.name, path.read_bytes()))
    print(path)
    READERS[name].read(path)


if __name__ == '__main__':
    main()
