"""Patients and studies come from DICOM, folders and lists."""

import json

import pytest

from echocardmae_mm.apis.sources import find_sources
from echocardmae_mm.datasets.recording_lists import find_recordings
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


@pytest.mark.parametrize('name', ['Videos', 'A4C', 'many'])
def test_folders_of_many_patients_tell_neither(recordings, tmp_path, name):
    for number in range(11 if name == 'many' else 2):
        file = tmp_path / 'export' / name / f'{number}.avi'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(recordings['echonet'].read_bytes())
    for root in (tmp_path, tmp_path / 'export'):
        sources = find_sources([root])
        assert [source.study for source in sources] == [str(source.path) for source in sources]
        assert [source.patient for source in sources] == [str(source.path) for source in sources]


def test_results_of_predict_are_no_recordings(recordings, folder):
    (folder / 'p1' / 'run.json').write_text('{"of": "another program"}')
    video = folder / 'p1' / 'results' / 'recordings' / 'x' / 'overlay.avi'
    video.parent.mkdir(parents=True)
    video.write_bytes(recordings['echonet'].read_bytes())
    assert len(find_sources([folder])) == 4
    assert len(find_sources([folder, video], folder / 'p1' / 'results')) == 3
    record = json.dumps({'settings': {'models': {}}})
    (folder / 'p1' / 'results' / 'run.json').write_text(record)
    assert len(find_sources([folder])) == 3
    with pytest.raises(UserError, match='no recording'):
        find_sources([folder / 'p1' / 'results'])


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


@pytest.mark.parametrize(
    ('place', 'vr'), [(b'\x02\x00\x00\x00', b'UL\x05'), (b'\x20\x00\x0d\x00', b'XX')]
)
def test_a_damaged_header_is_left_to_the_reader(tmp_path, place, vr):
    (recording, *_) = dicom_files.plan(1, 1)
    dicom_files.write_recording(tmp_path, recording, 1, 'default')
    (file,) = find_recordings(tmp_path)
    content = bytearray(file.read_bytes())
    begin = content.find(place) + len(place)
    content[begin : begin + len(vr)] = vr
    file.write_bytes(content)
    (source,) = find_sources([tmp_path])
    assert source.patient == source.study


def test_a_list_of_patients_keeps_the_studies_of_dicom_and_folders(folder):
    for recording in dicom_files.plan(2, 1):
        dicom_files.write_recording(folder, recording, 1, 'default')
    found = sorted(folder.rglob('*.dcm'))
    by_dicom = [source.study for source in find_sources(found)]
    files = [*found, 'p1/day1/a.avi', 'p1/day2/b.avi', 'c.avi']
    table = folder / 'list.csv'
    table.write_text('\n'.join(['path,patient', *(f'{file},1' for file in files)]))
    sources = find_sources([table])
    assert {source.patient for source in sources} == {'1'}
    assert len({source.study for source in sources}) == len(set(by_dicom)) + 3


def test_studies_of_two_patients_differ_though_a_list_names_them_alike(folder):
    table = folder / 'list.csv'
    table.write_text('path,patient,study\nc.avi,1,first\np1/day1/a.avi,2,first\n')
    one, other = find_sources([table])
    assert one.study != other.study


def test_names_are_paths_below_the_list_or_the_files_alone(folder):
    table = folder / 'p1' / 'list.csv'
    table.write_text(f'path\n{folder / "p1/day1/a.avi"}\nday2/b.avi\n../c.avi\n')
    assert [source.name for source in find_sources([table])] == [
        'day1/a.avi',
        'day2/b.avi',
        'c.avi',
    ]


def test_each_file_counts_once(folder):
    assert len(find_sources([folder, folder / 'c.avi', folder / 'p1'])) == 3


@pytest.mark.parametrize('order', [1, -1])
def test_what_a_list_says_of_a_recording_of_a_folder_holds(folder, order):
    table = folder / 'list.csv'
    table.write_text('path,fps\nc.avi,30\nc.avi,30\n')
    sources = find_sources([folder, table][::order])
    assert len(sources) == 3
    assert {source.name: source.fps for source in sources}['c.avi'] == 30


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('path,fps\nc.avi,fast\n', "row 2: 'fast' is not a positive number"),
        ('path,view\nc.avi,PLAX\n', "row 2: view 'PLAX' is unknown"),
        ('path,spacing\nc.avi,0.3;9\n', "row 2: '0.3;9' is no spacing; the larger number is"),
        ('file\nc.avi\n', "unknown column 'file'"),
        ('path,Path\nc.avi,c.avi\n', 'several columns are named path'),
        ('path,patient\n,1\n', 'row 2: path is empty'),
        ('path,fps\nc.avi,50\nc.avi,30\n', r'row 3: c\.avi is in an earlier row with other values'),
    ],
)
def test_mistakes_of_a_list_name_the_row(folder, text, message):
    table = folder / 'list.csv'
    table.write_text(text)
    with pytest.raises(UserError, match=message):
        find_sources([table])


def test_nan_is_an_empty_cell_and_no_patient(folder):
    table = folder / 'list.csv'
    table.write_text('path,patient,view,fps\nc.avi,nan,nan,NaN\np1/day1/a.avi,nan,,\n')
    one, other = find_sources([table])
    assert one.patient != other.patient
    assert one.study != other.study
    assert (one.view, one.fps) == (None, None)


def test_a_table_for_training_is_a_list(folder):
    table = folder / 'labels.csv'
    table.write_text('Path,EF,label,split,spacing\nc.avi,55,ill,test,0.3;0.4\n')
    (source,) = find_sources([table])
    assert source.spacing == (0.3, 0.4)
