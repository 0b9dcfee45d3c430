import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array

from echocardmae_mm.phantom import dicom_files
from echocardmae_mm.phantom.truth import read_truth

SEED = 6


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('phantoms')
    rows = [
        dicom_files.write_recording(root, recording, SEED, 'default')
        for recording in dicom_files.plan(len(dicom_files.KINDS), SEED)
    ]
    dicom_files.write_lists(root, rows)
    return root


def path_of(root, name):
    (path,) = (root / 'DICOM').glob(f'*_{name}.dcm')
    return path


@pytest.mark.parametrize('kind', dicom_files.KINDS, ids=lambda kind: kind.name)
def test_pydicom_decodes_every_kind(written, kind):
    path = path_of(written, kind.name)
    header = pydicom.dcmread(path)
    pixels = pixel_array(path)
    assert header.PhotometricInterpretation == kind.photometric
    assert pixels.dtype == np.uint8
    assert pixels.max() > 100
    frames = int(header.get('NumberOfFrames', 1))
    assert frames == (pixels.shape[0] if pixels.ndim > 2 + (header.SamplesPerPixel > 1) else 1)


@pytest.mark.parametrize('name', ['rgb', 'ybr_jpeg', 'ybr', 'mono', 'mono_jpeg'])
def test_sector_matches_region_and_truth(written, name):
    path = path_of(written, name)
    header, pixels = pydicom.dcmread(path), pixel_array(path)
    truth = read_truth(written / 'truth' / 'DICOM' / f'{path.stem}.npz')
    assert pixels.shape[:3] == (*truth['labels'].shape,)
    (region,) = header.SequenceOfUltrasoundRegions
    rows = np.flatnonzero(truth['sector_mask'].any(1))
    assert (region.RegionLocationMinY0, region.RegionLocationMaxY1) == (rows[0], rows[-1])
    assert 10 * region.PhysicalDeltaX == pytest.approx(truth['spacing'][1])
    grey = pixels if pixels.ndim == 3 else pixels.mean(axis=-1)
    wall, blood = (grey[truth['labels'] == label].mean() for label in (2, 1))
    assert wall > 1.2 * blood


def test_other_contents_are_declared_in_the_header(written):
    doppler, mmode, still = (
        pydicom.dcmread(path_of(written, name)) for name in ('doppler', 'mmode', 'still')
    )
    assert 2 in {r.RegionDataType for r in doppler.SequenceOfUltrasoundRegions}
    frames = pixel_array(path_of(written, 'doppler')).astype(int)
    assert (np.abs(frames[..., 0] - frames[..., 2]) > 60).any(axis=(1, 2)).mean() > 0.3
    assert {r.RegionSpatialFormat for r in mmode.SequenceOfUltrasoundRegions} == {2}
    assert 'NumberOfFrames' not in still
