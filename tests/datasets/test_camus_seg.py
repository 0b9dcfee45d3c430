"""Labelled frames of CAMUS, and the split by patient."""

import shutil

import nibabel
import numpy as np
import pytest

from echocardmae_mm.datasets import CAMUSSegDataset
from echocardmae_mm.datasets.recordings import content_hash
from echocardmae_mm.utils.errors import RecordingError, UserError
from tests.conftest import nested_labels
from tests.helpers.camus import write_view

READING = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(type='echocardmae_mm.LoadEchoMask'),
]


@pytest.fixture
def root(camus_root, tmp_path):
    return shutil.copytree(camus_root, tmp_path / 'CAMUS')


def patients(root, split, **options):
    dataset = CAMUSSegDataset(data_root=str(root), split=split, **options)
    return {dataset.get_data_info(i)['patient'] for i in range(len(dataset))}


def test_official_patients_test_and_the_others_are_split(camus_root):
    sides = {split: patients(camus_root, split) for split in ('train', 'VAL', 'test')}
    assert sides['test'] == {'patient0005', 'patient0006'}
    assert len(sides['VAL']) == 1
    assert set.union(*sides.values()) == {f'patient{i:04d}' for i in range(1, 7)}
    assert sum(map(len, sides.values())) == 6


def test_a_sample_is_a_view_at_an_instant_with_its_labels(camus_root):
    dataset = CAMUSSegDataset(data_root=str(camus_root), split='test', pipeline=READING)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(i['view'], i['instant']) for i in infos[:4]] == [
        ('2CH', 'ED'), ('2CH', 'ES'), ('4CH', 'ED'), ('4CH', 'ES'),
    ]  # fmt: skip
    assert infos[0]['quality'] == 'Poor'
    for index, radius in ((0, 9), (1, 5)):
        sample = dataset[index]
        np.testing.assert_array_equal(sample['gt_seg_map'], nested_labels(radius, 5))
        np.testing.assert_array_equal(sample['img'][..., 0], 40 + 50 * nested_labels(radius, 5))
        assert sample['spacing'] == pytest.approx((0.5, 1))


def test_a_sample_can_be_a_frame_of_its_sequence(root):
    dataset = CAMUSSegDataset(data_root=str(root), split='test', in_sequence=True, pipeline=READING)
    images = CAMUSSegDataset(data_root=str(root), split='test', pipeline=READING)
    assert len(dataset) == len(images) == 8
    for index in range(4):
        info, sample, image = dataset.get_data_info(index), dataset[index], images[index]
        assert info['filename'].endswith('half_sequence.nii.gz')
        assert sorted(info['masks']) == [0, 4]
        assert info['frame'] == {'ED': 0, 'ES': 4}[info['instant']]
        np.testing.assert_array_equal(sample['img'], image['img'])
        np.testing.assert_array_equal(sample['gt_seg_map'], image['gt_seg_map'])
    folder = root / 'database_nifti' / 'patient0005'
    (folder / 'patient0005_2CH_half_sequence.nii.gz').unlink()
    (folder / 'Info_4CH.cfg').write_text('ED: 1\nES: 9\nNbFrame: 5\n')
    dataset = CAMUSSegDataset(data_root=str(root), split='test', in_sequence=True)
    assert len(dataset) == 4
    assert dataset.report['frames without a sequence (dropped)'] == 4


def test_provenance_uses_the_sequence_seen_in_pretraining(camus_root):
    dataset = CAMUSSegDataset(data_root=str(camus_root), split='test', views='4CH')
    folder = camus_root / 'database_nifti' / 'patient0005'
    sequence = content_hash(str(folder / 'patient0005_4CH_half_sequence.nii.gz'))
    assert dataset.content_hashes()[:2] == [sequence, sequence]


def test_a_custom_split(camus_root, tmp_path):
    table = tmp_path / 'split.csv'
    rows = [f'patient{i:04d},{"test" if i == 1 else "train"}' for i in range(1, 7)]
    table.write_text('\n'.join(['patient,split', *rows]))
    assert patients(camus_root, 'test', split_file=str(table)) == {'patient0001'}
    table.write_text('\n'.join(['patient,split', *rows[1:]]))
    with pytest.raises(UserError, match='1 patients have no split, such as patient0001'):
        patients(camus_root, 'test', split_file=str(table))


def test_a_view_or_labels_that_are_missing_are_counted(root):
    folder = root / 'database_nifti' / 'patient0005'
    for path in folder.glob('*2CH_E*'):
        path.unlink()
    (folder / 'patient0005_4CH_ES_gt.nii.gz').unlink()
    dataset = CAMUSSegDataset(data_root=str(root), split='test')
    assert len(dataset) == 5
    assert dataset.report['frames without image (dropped)'] == 2
    assert dataset.report['frames without labels (dropped)'] == 1


def with_unknown_label(root, patient, label):
    path = next((root / 'database_nifti').glob(f'*/{patient}_4CH_ED_gt.nii.gz'))
    image = nibabel.load(path)
    values = np.asarray(image.dataobj).copy()
    values[0, 0] = label
    nibabel.save(nibabel.Nifti1Image(values, image.affine), path)
    return path


@pytest.mark.parametrize('label', [7, 255])
def test_an_unknown_label_is_skipped_in_training_and_named(root, label):
    path = with_unknown_label(root, 'patient0001', label)
    dataset = CAMUSSegDataset(data_root=str(root), pipeline=READING)
    for index in range(len(dataset)):
        dataset[index]
    (skipped,) = dataset.skipped.nonzero()[:, 0].tolist()
    assert f'{path}: label {label} is unknown: expected 0 to 3' in dataset.skip_reason(skipped)


def test_unusable_labels_end_an_evaluation_and_are_named(root):
    path = with_unknown_label(root, 'patient0005', 7)
    dataset = CAMUSSegDataset(data_root=str(root), split='test', test_mode=True, pipeline=READING)
    assert len(dataset) == 8
    with pytest.raises(RecordingError, match=f'{path}: label 7 is unknown'):
        dataset[2]


def test_challenge_test_patients_differ_from_training_patients_of_the_same_number(tmp_path):
    info = 'ED: 1\nES: 2\nNbFrame: 2\nLVef: 50\n'
    images = dict.fromkeys(('ED', 'ED_gt', 'ES', 'ES_gt'), nested_labels(7))
    for part in ('training', 'testing'):
        for number in (1, 2):
            write_view(tmp_path / part / f'patient{number:04d}', '4CH', info, images, '.mhd')
    assert patients(tmp_path, 'test') == {'testing/patient0001', 'testing/patient0002'}
    rest = patients(tmp_path, 'train') | patients(tmp_path, 'val')
    assert rest == {'patient0001', 'patient0002'}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(split='training'), "split='training' is unknown"),
        (dict(split='test', views='3CH'), "view '3CH' is unknown"),
    ],
)
def test_unknown_arguments_raise(camus_root, options, message):
    with pytest.raises(UserError, match=message):
        CAMUSSegDataset(data_root=str(camus_root), **options)


def test_without_the_official_list_one_must_be_given(root):
    (root / 'database_split' / 'subgroup_testing.txt').unlink()
    with pytest.raises(UserError, match='lists the official test patients'):
        CAMUSSegDataset(data_root=str(root), split='train')


@pytest.mark.parametrize('listed', ['', 'patient0499\n'])
def test_an_official_list_without_our_patients_is_refused(root, listed):
    (root / 'database_split' / 'subgroup_testing.txt').write_text(listed)
    with pytest.raises(UserError, match='contains none of the official test patients'):
        CAMUSSegDataset(data_root=str(root), split='test')
