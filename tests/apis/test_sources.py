"""Patients and studies come from DICOM, folders and lists."""

import pytest

from echocardmae_mm.apis.sources import find_sources
from echocardmae_mm.phantom import dicom_files
from echocardmae_mm.utils.errors import UserError


@pytest.fixture
def folder(recordings, tmp_path):
    for name in ('p1/day1/a.avi', 'p1/day2/b.avi', 'c.avi'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(recordings['echonet'].read_bytes())
    return tmp_path


def test_folders_tell_patient_and_study(folder):
    loose, first, second = find_sources([folder])
    assert loose.patient == loose.study == str(folder / 'c.avi')
    assert first.patient == second.patient == str(folder / 'p1')
    assert (first.study, second.study) == (str(folder / 'p1/day1'), str(folder / 'p1/day2'))
    assert first.name == 'p1/day1/a.avi'


def test_files_of_the_same_name_are_of_different_patients(folder):
    (folder / 'p1' / 'c.avi').write_bytes((folder / 'c.avi').read_bytes())
    one, other = find_sources([folder / 'c.avi', folder / 'p1' / 'c.avi'])
    assert one.patient != other.patient
    assert one.study != other.study


def test_dicom_tells_patient_and_study(tmp_path):
    (recording, *_) = dicom_files.plan(1, 1)
    dicom_files.write_recording(tmp_path, recording, 1, 'default')
    (source,) = find_sources([tmp_path])
    assert source.patient.startswith('PHANTOM')
    assert source.study.startswith('2.25') or source.study.count('.') > 3


def test_each_file_counts_once(folder):
    assert len(find_sources([folder, folder / 'c.avi', folder / 'p1'])) == 3


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('path,fps\nc.avi,fast\n', "row 2: 'fast' is not a positive number"),
        ('path,view\nc.avi,PLAX\n', "row 2: view 'PLAX' is unknown"),
        ('file\nc.avi\n', "unknown column 'file'"),
    ],
)
def test_mistakes_of_a_list_name_the_row(folder, text, message):
    table = folder / 'list.csv'
    table.write_text(text)
    with pytest.raises(UserError, match=message):
        find_sources([table])


def test_a_table_for_training_is_a_list(folder):
    table = folder / 'labels.csv'
    table.write_text('Path,EF,label,split,spacing\nc.avi,55,ill,test,0.3;0.4\n')
    (source,) = find_sources([table])
    assert source.spacing == (0.3, 0.4)
