import nibabel
import numpy as np
import pytest
import SimpleITK

from echocardmae_mm.phantom import camus_files

SEED = 2


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('phantoms')
    recordings = camus_files.plan(6, SEED)
    turned = next(r for r in recordings if r.backwards)
    straight = next(r for r in recordings if not r.backwards)
    rows = [camus_files.write_recording(root, r, SEED, 'default') for r in (turned, straight)]
    camus_files.write_lists(root, rows)
    return root / 'CAMUS', turned, straight


def cfg(folder, view):
    lines = (folder / f'Info_{view}.cfg').read_text().splitlines()
    return dict(line.split(': ') for line in lines)


def test_cfg_files_contain_instants_and_rounded_ejection_fraction(written):
    root, turned, straight = written
    for recording in (turned, straight):
        folder = root / 'database_nifti' / recording.name
        for view in ('2CH', '4CH'):
            about = cfg(folder, view)
            keys = ['ED', 'ES', 'NbFrame', 'Sex', 'Age', 'ImageQuality', 'EF', 'FrameRate']
            assert list(about) == keys
            first, last = ('ES', 'ED') if recording.backwards else ('ED', 'ES')
            assert about[first] == '1'
            assert about[last] == about['NbFrame']
            assert 1 <= int(about['EF']) <= 99
        assert cfg(folder, '2CH')['EF'] == cfg(folder, '4CH')['EF']


@pytest.mark.parametrize('view', ['2CH', '4CH'])
def test_half_sequences_have_labels_for_every_frame(written, view):
    root, turned, straight = written
    for recording in (turned, straight):
        stem = root / 'database_nifti' / recording.name / f'{recording.name}_{view}'
        parts = {
            name: nibabel.load(f'{stem}_{name}.nii.gz')
            for name in ('ED', 'ES', 'ED_gt', 'ES_gt', 'half_sequence', 'half_sequence_gt')
        }
        arrays = {name: np.asarray(part.dataobj) for name, part in parts.items()}
        frames = int(cfg(stem.parent, view)['NbFrame'])
        assert arrays['half_sequence'].shape == (448, 640, frames)
        assert arrays['half_sequence_gt'].shape == (448, 640, frames)
        assert set(np.unique(arrays['half_sequence_gt'])) == {0, 1, 2, 3}
        first, last = ('ES', 'ED') if recording.backwards else ('ED', 'ES')
        np.testing.assert_array_equal(arrays['half_sequence'][..., 0], arrays[first])
        np.testing.assert_array_equal(arrays['half_sequence_gt'][..., -1], arrays[f'{last}_gt'])
        areas = (arrays['half_sequence_gt'] == 1).sum(axis=(0, 1))
        assert (areas[0] < areas[-1]) == recording.backwards
        x, y = parts['half_sequence'].header.get_zooms()[:2]
        assert y == pytest.approx(x / 2)


def test_simpleitk_reads_the_same_axes_and_spacing(written):
    root, _, straight = written
    path = root / 'database_nifti' / straight.name / f'{straight.name}_4CH_half_sequence.nii.gz'
    image = SimpleITK.ReadImage(str(path))
    array, other = SimpleITK.GetArrayFromImage(image), nibabel.load(path)
    np.testing.assert_array_equal(array, np.asarray(other.dataobj).T)
    np.testing.assert_allclose(image.GetSpacing()[:2], other.header.get_zooms()[:2], rtol=1e-6)


def test_splits_hold_each_patient_once(written):
    recordings = camus_files.plan(50, 0)
    counts = [sum(r.split == s for r in recordings) for s in ('training', 'validation', 'testing')]
    assert counts == [40, 5, 5]
    root, *made = written
    listed = [
        name
        for split in ('training', 'validation', 'testing')
        for name in (root / 'database_split' / f'subgroup_{split}.txt').read_text().split()
    ]
    assert sorted(listed) == sorted(r.name for r in made)
