"""The command ``deidentify``: names are planted everywhere, and no output may hold one."""

from __future__ import annotations

import base64
import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from echocardmae_mm.cli.deidentify import main
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom import Phantom, make_phantom
from echocardmae_mm.phantom.dicom_files import KINDS, Recording, _add_pixels, _header
from echocardmae_mm.phantom.reproducible_files import write_avi

NAME = 'Plantedname'
#: Elements of a written DICOM file; everything else would be a leak.
TECHNICAL = {
    *('SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID', 'Modality'),
    *('ImageType', 'PatientID', 'PatientName', 'PatientIdentityRemoved', 'DeidentificationMethod'),
    *('LossyImageCompression', 'NumberOfFrames', 'FrameTime', 'FrameIncrementPointer', 'Rows'),
    *('Columns', 'SamplesPerPixel', 'PhotometricInterpretation', 'PlanarConfiguration'),
    *('BitsAllocated', 'BitsStored', 'HighBit', 'PixelRepresentation', 'PixelData'),
    *('PixelSpacing', 'SequenceOfUltrasoundRegions', 'RegionSpatialFormat', 'RegionDataType'),
    *('RegionFlags', 'RegionLocationMinX0', 'RegionLocationMinY0', 'RegionLocationMaxX1'),
    *('RegionLocationMaxY1', 'PhysicalUnitsXDirection', 'PhysicalUnitsYDirection'),
    *('PhysicalDeltaX', 'PhysicalDeltaY'),
}
EMPTY = {
    *('AccessionNumber', 'InstanceNumber', 'Manufacturer', 'PatientBirthDate', 'PatientSex'),
    *('PatientOrientation', 'ReferringPhysicianName', 'SeriesNumber', 'StudyDate', 'StudyID'),
    'StudyTime',
}


def captioned(phantom: Phantom) -> np.ndarray:
    """Frames with a name burned in above the sector and beside its edge."""
    frames = phantom.frames.copy()
    sector = phantom.sector_mask
    bottom = np.flatnonzero(sector.any(axis=1))[-1]
    for frame, clean in zip(frames, phantom.frames):
        for corner in ((4, 12), (4, int(bottom)), (230, 60)):
            cv2.putText(frame, NAME, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 90), 1)
        frame[sector] = clean[sector]
    return frames


def write_dicom(path: Path, phantom: Phantom, frames: np.ndarray, patient: str) -> None:
    """A DICOM file with planted names in every place that can hold one."""
    header = _header(Recording(0, 'x', KINDS[1]), phantom, len(frames), 1)
    _add_pixels(header, frames, KINDS[1])
    header.PatientID = header.PatientName = patient
    header.PatientBirthDate = '19571123'
    header.StudyInstanceUID = '1.2.3.19571123'
    for keyword in ('ImageComments', 'InstitutionName', 'StudyDescription', 'OtherPatientIDs'):
        setattr(header, keyword, NAME)
    header.ImageType = ['ORIGINAL', 'PRIMARY', NAME.upper(), '0001']
    header.private_block(0x0009, NAME, create=True).add_new(0x10, 'LT', NAME)
    inner = Dataset()
    inner.PatientName = NAME
    inner.private_block(0x0009, 'VENDOR', create=True).add_new(0x10, 'UN', NAME.encode())
    outer = Dataset()
    outer.RequestedProcedureDescription = NAME
    outer.ReferencedStudySequence = [inner]
    header.RequestAttributesSequence = [outer]
    region = header.SequenceOfUltrasoundRegions[0]
    region.private_block(0x0009, 'VENDOR', create=True).add_new(0x10, 'LO', NAME)
    header.add_new(0xFFFCFFFC, 'OB', NAME.encode() + b'\0')
    header.file_meta.PrivateInformationCreatorUID = '1.2.3'
    header.file_meta.PrivateInformation = NAME.encode() + b'\0'
    header.preamble = NAME.encode().ljust(128, b'\0')
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, header, enforce_file_format=True)


@pytest.fixture(scope='module')
def phantom() -> Phantom:
    return make_phantom(21, screen='portable', num_frames=28)


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory, phantom: Phantom) -> Path:
    """Four recordings of three patients, and two that must be refused."""
    root = tmp_path_factory.mktemp('originals')
    frames = captioned(phantom)
    write_avi(root / f'{NAME}_1' / f'{NAME}.avi', frames, phantom.fps)
    write_dicom(root / 'a' / f'{NAME}.dcm', phantom, frames, f'{NAME}^A')
    write_dicom(root / 'b' / 'IM_0001', phantom, frames, f'{NAME}^A')
    volume = frames.max(axis=-1).transpose(2, 1, 0)
    image = nibabel.Nifti1Image(volume, np.diag([0.9, 0.9, 1, 1]))
    image.header['descrip'] = NAME
    nibabel.save(image, root / f'{NAME}_2.nii.gz')
    (root / 'text.avi').write_text(f'{NAME} born 19571123')
    write_avi(root / f'{NAME}_1' / 'still.avi', np.repeat(frames[:1], 28, axis=0), 50)
    return root


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments), '--jobs', '1'])
    return end.value.code


@pytest.fixture(scope='module')
def out(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('out') / 'copies'
    assert run(root, '--out', out) == 1
    return out


def table(out: Path) -> list[dict[str, str]]:
    with (out / 'recordings.csv').open(newline='') as file:
        return list(csv.DictReader(file))


def copies(out: Path) -> list[Path]:
    return [out / row['file'] for row in table(out) if row['status'] == 'written']


def test_no_file_holds_a_planted_name(out: Path, root: Path):
    planted = [NAME, '19571123', '20200101', 'IM_0001', 'originals', str(root)]
    files = [path for path in out.rglob('*') if path.is_file()]
    assert len(files) == 6
    for path in files:
        content = path.read_bytes().lower()
        for text in planted:
            assert text.lower() not in str(path.relative_to(out)).lower()
            for encoding in ('utf-8', 'utf-16-le', 'utf-16-be'):
                assert text.lower().encode(encoding) not in content, (path, text)


def test_dicom_files_hold_technical_elements_only(out: Path):
    files = [path for path in copies(out) if path.suffix == '.dcm']
    assert len(files) == 3
    for path in files:
        dataset = pydicom.dcmread(path)
        assert dataset.preamble == bytes(128)
        for element in dataset.iterall():
            assert element.keyword in TECHNICAL | EMPTY, element
            assert element.keyword in TECHNICAL or element.is_empty, element
            assert NAME.lower() not in str(element.value).lower(), element
        assert {element.keyword for element in dataset.file_meta} == {
            *('FileMetaInformationGroupLength', 'FileMetaInformationVersion'),
            *('MediaStorageSOPClassUID', 'MediaStorageSOPInstanceUID', 'TransferSyntaxUID'),
            *('ImplementationClassUID', 'ImplementationVersionName'),
        }
        assert dataset.StudyInstanceUID.startswith('2.25.')


def test_pixels_outside_the_sector_are_black_and_those_inside_are_kept(out, root, phantom):
    kernel = np.ones((9, 9), np.uint8)
    beyond = cv2.dilate(phantom.sector_mask.astype(np.uint8), kernel) == 0
    within = cv2.erode(phantom.sector_mask.astype(np.uint8), kernel) > 0
    originals = [
        open_recording(path).frames(range(28))
        for path in (root / f'{NAME}_1' / f'{NAME}.avi', root / 'b' / 'IM_0001')
    ]
    originals.append(captioned(phantom).max(axis=-1, keepdims=True).repeat(3, axis=-1))
    for path in copies(out):
        frames = open_recording(path).frames(range(28))
        assert frames[:, beyond].max() == 0, path
        kept = [np.array_equal(frames[:, within], other[:, within]) for other in originals]
        assert any(kept), path


def test_frame_rate_spacing_and_region_are_kept(out: Path, root: Path, phantom: Phantom):
    source = open_recording(root / 'b' / 'IM_0001')
    regions = []
    for path in copies(out):
        recording = open_recording(path)
        regions.append(recording.region)
        if path.suffix == '.avi':
            assert recording.fps == pytest.approx(phantom.fps, rel=1e-3)
        elif recording.region:
            assert recording.fps == pytest.approx(source.fps)
            assert recording.spacing == pytest.approx(source.spacing)
        else:
            assert recording.fps is None
            assert recording.spacing == pytest.approx((0.9, 0.9))
    assert regions.count(source.region) == regions.count(None) == 2


def test_the_table_links_recordings_of_a_patient(out: Path):
    rows = table(out)
    assert len(rows) == 6
    assert [row['recording'] for row in rows] == sorted(row['recording'] for row in rows)
    assert all(re.fullmatch('[0-9a-f]{10}', row['recording']) for row in rows)
    patients = sorted(row['patient'] for row in rows if row['file'].endswith('.dcm'))
    assert patients[0] == ''  # the NIfTI file lies in no folder
    assert patients[1] == patients[2] != ''
    studies = {
        str(pydicom.dcmread(path).StudyInstanceUID) for path in copies(out) if path.suffix == '.dcm'
    }
    assert len(studies) == 2
    folder = {row['patient'] for row in rows if row['height'] and '.dcm' not in row['file']}
    assert len(folder) == 1
    assert folder.isdisjoint(patients)
    reasons = sorted(row['reason'] for row in rows if row['status'] == 'refused')
    assert reasons == ['cannot be read as a B-mode recording', 'no sector found']


def pictures(out: Path) -> Iterator[np.ndarray]:
    for encoded in re.findall('base64,([^"]+)"', (out / 'contact-sheet.html').read_text()):
        yield cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), 1)


def test_the_contact_sheet_shows_the_copies(out: Path, phantom: Phantom):
    page = (out / 'contact-sheet.html').read_text()
    assert 'A person must look at every recording before anything is passed on' in page
    assert all(row['recording'] in page for row in table(out))
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    far = cv2.dilate(phantom.sector_mask.astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    shown = list(pictures(out))
    assert len(shown) == 16
    for picture in shown:
        assert picture.shape == (240, 320, 3)
        assert picture[far].max() <= 4
        assert picture.max() > 60


def test_names_are_kept_on_request(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert run(root, '--out', tmp_path / 'out', '--keep-names') == 1
    files = {row['file'] for row in table(tmp_path / 'out')} - {''}
    assert files == {
        *(f'{NAME}_1/{NAME}.avi', f'a/{NAME}.dcm', 'b/IM_0001.dcm', f'{NAME}_2.nii.gz.dcm')
    }
    for path in copies(tmp_path / 'out'):
        assert NAME.encode() not in path.read_bytes()
    printed = capsys.readouterr().out
    assert 'out: 4 recordings written, 2 refused\n' in printed
    assert f'refused {root / "text.avi"}: cannot be read as a B-mode recording (' in printed


def test_a_single_file_and_another_run(root: Path, tmp_path: Path):
    source, out = root / 'b' / 'IM_0001', tmp_path / 'new' / 'out'
    assert run(source, '--out', out) == 0
    first = table(out)[0]
    assert run(source, '--out', out) == f'error: {out}: is not empty\n' + (
        'Choose another --out, or pass --force'
    )
    assert table(out)[0] == first
    assert run(source, '--out', out, '--force') == 0
    second = table(out)[0]
    assert second['recording'] != first['recording']
    assert second['patient'] != first['patient']
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [second['file'], 'recordings.csv', 'contact-sheet.html']
    )
    file = tmp_path / 'file'
    file.write_text('mine')
    assert f'{file}: is no folder' in run(source, '--out', file, '--force')
    assert file.read_text() == 'mine'
    (out / 'notes.txt').write_text('mine')
    assert 'contains notes.txt, which is not the output of' in run(source, '--out', out, '--force')
    assert (out / second['file']).exists()


@pytest.mark.parametrize('out', ['.', 'inside', '..'])
def test_an_output_that_overlaps_with_the_recordings(root: Path, out: str):
    assert 'expected a folder apart from' in run(root, '--out', root / out, '--force')


def test_paths_without_recordings(tmp_path: Path):
    assert run(tmp_path / 'no', '--out', tmp_path / 'out').startswith(
        f'error: {tmp_path / "no"}: no such file or folder'
    )
    (tmp_path / 'empty').mkdir()
    assert ': no recordings found' in run(tmp_path / 'empty', '--out', tmp_path / 'out')


def test_an_error_leaves_no_output(phantom: Phantom, tmp_path: Path):
    for folder in 'ab':
        write_avi(tmp_path / folder / 'same.avi', phantom.frames, 50)
    arguments = tmp_path / 'a', tmp_path / 'b', '--out', tmp_path / 'out', '--keep-names'
    assert 'same.avi: two recordings would get this name' in run(*arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'b']
    (tmp_path / 'out.part').mkdir()
    assert 'another process is writing it, or was killed' in run(*arguments)


def test_ctrl_c_leaves_no_output(phantom: Phantom, tmp_path: Path):
    for index in range(12):
        write_avi(tmp_path / 'in' / f'{index}.avi', phantom.frames, 50)
    command = [sys.executable, '-m', 'echocardmae_mm', 'deidentify', tmp_path / 'in']
    process = subprocess.Popen(
        [*command, '--out', tmp_path / 'out', '--jobs', '2'],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job, such as this test may run in, hands an ignored Ctrl-C on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(tmp_path.glob('out.part/*')):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[1] == 'interrupted; nothing was written\n'
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ['in']
