"""CAMUS for ejection fraction, in both releases, written here as their owners ship them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.datasets import CAMUSDataset, CAMUSViewDataset
from echocardmae_mm.datasets.camus_index import CHALLENGE, NIFTI, find_patients
from echocardmae_mm.phantom import camus_files
from echocardmae_mm.utils.errors import UserError
from tests.helpers.camus import write_view

FRAMES = 12
READING = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleUniformClips', num_clips=1, clip_len=5, span='cycle'),
    dict(type='echocardmae_mm.RecordingDecode'),
]


def frames() -> np.ndarray:
    """(T, H, W); each frame's brightness is 10 times its number."""
    return np.stack([np.full((9, 7), 10 * t, np.uint8) for t in range(FRAMES)])


def write_nifti(root: Path, number: int, ef: object = 55, backwards: bool = False) -> Path:
    folder = root / 'database_nifti' / f'patient{number:04d}'
    ed, es = (FRAMES, 1) if backwards else (1, FRAMES)
    quality = ('Good', 'Medium', 'Poor')[number % 3]
    info = f'ED: {ed}\nES: {es}\nNbFrame: {FRAMES}\nSex: F\nAge: 60\nImageQuality: {quality}\n'
    for view in ('2CH', '4CH'):
        more = f'EF: {ef}\nFrameRate: 48.2\n'
        write_view(folder, view, info + more, {'half_sequence': frames()})
    return folder


def write_challenge(
    root: Path, number: int, ef: float | None = 62.5, part: str = 'training'
) -> Path:
    folder = root / part / f'patient{number:04d}'
    info = f'ED: 1\nES: 9\nNbFrame: {FRAMES}\nSex: F\nAge: 60\nImageQuality: Poor\n'
    stated = '' if ef is None else f'LVedv: 100.0\nLVesv: {100 - ef}\nLVef: {ef}\n'
    for view in ('2CH', '4CH'):
        write_view(folder, view, info + stated, {'sequence': frames()}, suffix='.mhd')
    return folder


@pytest.mark.parametrize('frames', ['9' * 5000, '1²', '0', '-3', '1.5', ''])
def test_a_number_of_frames_that_is_none_is_named(frames, tmp_path):
    cfg = write_nifti(tmp_path, 1) / 'Info_4CH.cfg'
    cfg.write_text(cfg.read_text().replace(f'NbFrame: {FRAMES}', f'NbFrame: {frames}'), 'latin-1')
    with pytest.raises(UserError, match=r'Info_4CH\.cfg: ED=.1. must lie between 1 and NbFrame='):
        CAMUSDataset(str(tmp_path))


@pytest.mark.parametrize('rate', ['5²', 'inf', 'fast'])
def test_a_frame_rate_that_is_none_is_unknown(rate, tmp_path):
    cfg = write_nifti(tmp_path, 1) / 'Info_4CH.cfg'
    cfg.write_text(cfg.read_text().replace('48.2', rate), 'latin-1')
    assert CAMUSDataset(str(tmp_path)).get_data_info(0)['fps'] is None


@pytest.fixture
def nifti_root(tmp_path: Path) -> Path:
    for number in range(1, 7):
        write_nifti(tmp_path, number, ef=50 + number, backwards=number == 2)
    return tmp_path


def infos(dataset: CAMUSDataset) -> list[dict]:
    dataset.full_init()
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_samples_of_the_nifti_release(nifti_root):
    info = infos(CAMUSDataset(str(nifti_root)))[0]
    assert Path(info['filename']).name == 'patient0001_4CH_half_sequence.nii.gz'
    assert info['patient'] == 'patient0001'
    assert (info['ef'], info['fps'], info['cycle']) == (51.0, 48.2, (0, FRAMES - 1))
    assert (info['view'], info['quality'], info['source']) == ('4CH', 'Medium', NIFTI)


def test_samples_of_the_challenge_release_and_withheld_labels_are_counted(tmp_path):
    write_challenge(tmp_path, 1)
    write_challenge(tmp_path, 2, ef=None, part='testing')
    dataset = CAMUSDataset(str(tmp_path))
    (info,) = infos(dataset)
    assert (info['ef'], info['fps'], info['cycle']) == (62.5, None, (0, 8))
    assert (info['source'], info['quality']) == (CHALLENGE, 'Poor')
    assert dataset.report == {
        f'patients of the {CHALLENGE}': 2,
        'without published labels': 1,
        'patients of the split': 1,
    }


def test_a_sequence_stored_backwards_is_read_from_end_diastole_on(nifti_root):
    dataset = CAMUSDataset(str(nifti_root), pipeline=READING, test_mode=True)
    forwards, backwards = (
        [int(frame[0, 0, 0]) // 10 for frame in dataset[index]['imgs']] for index in (0, 1)
    )
    assert forwards == [0, 3, 6, 8, 11]
    assert backwards == [11, 8, 6, 3, 0]


@pytest.mark.parametrize(('views', 'count'), [('4ch', 6), (('2CH', '4CH'), 12), (['2CH'], 6)])
def test_views(nifti_root, views, count):
    rows = infos(CAMUSDataset(str(nifti_root), views=views))
    assert len(rows) == count
    assert {row['view'] for row in rows} == set(np.atleast_1d(np.char.upper(views)).tolist())


def test_the_label_of_the_view_data_set_is_the_view(nifti_root):
    dataset = CAMUSViewDataset(str(nifti_root))
    rows = infos(dataset)
    assert len(rows) == 12
    for row in rows:
        view = Path(row['filename']).name.split('_')[1]
        assert dataset.metainfo['classes'][row['label']] == view


def test_folds_split_patients_with_both_views_and_cover_all(nifti_root):
    common = dict(data_root=str(nifti_root), views=('2CH', '4CH'), num_folds=3, val_share=0.3)
    tested = []
    for fold in range(3):
        sides = {
            split: {row['patient'] for row in infos(CAMUSDataset(fold=fold, split=split, **common))}
            for split in ('Train', 'val', 'TEST')
        }
        assert not sides['Train'] & sides['val']
        assert not sides['TEST'] & (sides['Train'] | sides['val'])
        assert len(set().union(*sides.values())) == 6
        tested += sides['TEST']
    assert len(tested) == len(set(tested)) == 6


def test_folds_from_a_file(nifti_root):
    path = nifti_root / 'folds.csv'
    path.write_text('patient,fold\n' + ''.join(f'patient000{i},{i % 2}\n' for i in range(1, 7)))
    dataset = CAMUSDataset(str(nifti_root), fold=1, split='test', fold_file=str(path))
    assert [row['patient'] for row in infos(dataset)] == [f'patient000{i}' for i in (1, 3, 5)]
    assert dataset.folds['patient0002'] == 0


def both_releases(root: Path) -> dict:
    write_challenge(root, 1)
    return {}


def no_view(root: Path) -> dict:
    (root / 'database_nifti/patient0003/patient0003_4CH_half_sequence.nii.gz').unlink()
    return {}


def ef_of(text: str) -> Callable[[Path], dict]:
    def spoil(root: Path) -> dict:
        info = root / 'database_nifti/patient0004/Info_4CH.cfg'
        info.write_text(info.read_text().replace('EF: 54', text))
        return {}

    return spoil


def instant_beyond(root: Path) -> dict:
    info = root / 'database_nifti/patient0004/Info_4CH.cfg'
    info.write_text(info.read_text().replace('ES: 12', 'ES: 13'))
    return {}


def instants_equal(root: Path) -> dict:
    info = root / 'database_nifti/patient0004/Info_4CH.cfg'
    info.write_text(info.read_text().replace('ES: 12', 'ES: 1'))
    return {}


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (both_releases, 'contains both releases of CAMUS, whose EF differ'),
        (no_view, r'patient0003: no sequence of view 4CH'),
        (ef_of('EF: 154'), r"Info_4CH\.cfg: expected an EF of 0 to 100 per cent, found '154'"),
        (ef_of(''), 'expected an EF of 0 to 100 per cent, found .nothing'),
        (ef_of('EF: high'), "found 'high'"),
        (instant_beyond, "ES='13' must lie between 1 and NbFrame='12'"),
        (instants_equal, r'Info_4CH\.cfg: ED and ES are the same frame, 1'),
        (lambda root: {'fold': 6, 'split': 'test', 'num_folds': 6}, 'fold=6 does not exist'),
        (lambda root: {'fold': 0, 'split': 'tests', 'num_folds': 6}, "split='tests' is unknown"),
        (lambda root: {'fold': 0, 'split': 'test'}, 'num_folds=10 for 6 patients'),
        (lambda root: {'fold': 0}, 'fold and split go together'),
        (lambda root: {'views': '3CH'}, "view '3CH' is unknown"),
    ],
)
def test_errors_name_the_fault(nifti_root, spoil, message):
    kwargs = spoil(nifti_root)
    with pytest.raises(UserError, match=message) as error:
        CAMUSDataset(str(nifti_root), **kwargs).full_init()
    assert len(str(error.value).splitlines()) <= 2


def test_a_cfg_file_in_latin_1(nifti_root):
    info = nifti_root / 'database_nifti/patient0004/Info_4CH.cfg'
    info.write_bytes(info.read_bytes() + 'Operator: Müller\n'.encode('latin-1'))
    assert len(CAMUSDataset(str(nifti_root))) == 6


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match='no CAMUS patient; expected database_nifti'):
        CAMUSDataset(str(tmp_path)).full_init()


def test_data_root_may_be_the_folder_of_the_release(nifti_root):
    inner = find_patients(nifti_root / 'database_nifti')
    assert [patient.name for patient in inner] == [p.name for p in find_patients(nifti_root)]
    assert {patient.release for patient in inner} == {NIFTI}


def test_phantoms_are_read_unchanged(tmp_path):
    recordings = camus_files.plan(6, seed=4)[:2]
    written = [camus_files.write_recording(tmp_path, r, 4, 'default') for r in recordings]
    read = infos(CAMUSDataset(str(tmp_path / camus_files.FOLDER)))
    assert [info['patient'] for info in read] == [r.name for r in recordings]
    for info, made in zip(read, written):
        truth = [float(row['ef']) for row in made['truth']]
        assert info['ef'] == round(sum(truth) / 2)
        assert info['source'] == NIFTI
