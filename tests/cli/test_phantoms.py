"""The command ``phantoms``."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from echocardmae_mm.cli.run_folder import folder_lock

pytestmark = pytest.mark.xdist_group('phantoms')
SEED = ('--seed', '3')


@pytest.fixture(scope='module')
def make(command):
    """``make(out, *options)`` runs the command in this process."""
    return lambda out, *options: command('phantoms', '--out', out, *SEED, *options)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


@pytest.fixture(scope='module')
def on_one_process(make, tmp_path_factory):
    out = tmp_path_factory.mktemp('one')
    sizes = ('--videos', '3', '--camus', '1', '--hmcqu', '1', '--dicom', '2')
    done = make(out, '--jobs', '1', *sizes)
    assert done.returncode == 0, done.stderr
    return out, sizes


def test_bytes_do_not_depend_on_the_number_of_processes(make, on_one_process, tmp_path):
    out, sizes = on_one_process
    done = make(tmp_path, '--jobs', '2', *sizes)
    assert done.returncode == 0, done.stderr
    first, second = contents(out), contents(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {name.parts[0] for name in first} == {
        'EchoNet-Dynamic', 'CAMUS', 'HMC-QU', 'DICOM', 'truth'
    }  # fmt: skip


def test_a_second_call_makes_only_what_is_missing(make, on_one_process):
    out, _ = on_one_process
    before = contents(out)
    videos = sorted((out / 'EchoNet-Dynamic' / 'Videos').iterdir())
    notes = sorted((out / 'truth' / 'notes' / 'echonet').iterdir())
    times = {path: path.stat().st_mtime_ns for path in videos}
    notes[0].unlink()
    videos[-1].unlink()
    done = make(out, '--jobs', '1', '--videos', '3', '--datasets', 'echonet')
    assert done.returncode == 0, done.stderr
    assert contents(out) == before
    assert sum(path.stat().st_mtime_ns != times[path] for path in videos) == 2


def test_one_process_at_a_time_writes_into_a_folder(make, tmp_path):
    truth = tmp_path / 'truth'
    truth.mkdir()
    with folder_lock(truth):
        done = make(tmp_path, '--jobs', '1', '--videos', '1', '--datasets', 'echonet')
    assert done.returncode == 1
    assert done.stderr == f'error: {truth}: another process is running in it\n'
    assert not (tmp_path / 'EchoNet-Dynamic').exists()


def test_recordings_take_several_variants_in_turn(make, tmp_path):
    sizes = ('--videos', '2', '--datasets', 'echonet', '--jobs', '1')
    for name, variants in {'b': ['noisy'], 'both': ['default', 'noisy']}.items():
        done = make(tmp_path / name, '--variant', *variants, *sizes)
        assert done.returncode == 0, done.stderr
    alone, both = contents(tmp_path / 'b'), contents(tmp_path / 'both')
    same = [name.name for name in both if name.suffix == '.avi' and both[name] == alone[name]]
    plan = sorted(path.stem for path in both if path.parts[-2] == 'echonet')
    assert same == [plan[1].split('_')[1] + '.avi']


def test_a_nonsense_number_is_told_in_one_line(make, tmp_path):
    done = make(tmp_path, '--videos', '0')
    assert done.returncode == 2
    assert done.stderr.endswith('error: argument --videos: must be at least 1, not 0\n')


def test_what_is_there_is_not_overwritten(make, on_one_process, tmp_path):
    real = tmp_path / 'EchoNet-Dynamic'
    real.mkdir()
    (real / 'FileList.csv').write_text('patients')
    refused = make(tmp_path, '--jobs', '1', '--datasets', 'echonet', '--videos', '1')
    assert refused.returncode == 1
    assert 'was not made by this command\nChoose another --out' in refused.stderr
    assert contents(tmp_path) == {Path('EchoNet-Dynamic/FileList.csv'): b'patients'}

    out, _ = on_one_process
    before = contents(out)
    for options, reason in (
        (('--videos', '3', '--seed', '4'), 'seed was 3, now 4'),
        (('--videos', '2'), 'holds 3 recordings, more than the 2'),
    ):
        refused = make(out, '--jobs', '1', '--datasets', 'echonet', *options)
        assert refused.returncode == 1
        assert reason in refused.stderr
    assert contents(out) == before


def little_room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize(('name', 'jobs'), [('echonet', '2'), ('camus', '1')])
def test_a_full_disk_is_told_and_the_repeated_command_makes_what_is_missing(
    make, name, jobs, tmp_path
):
    options = ['--datasets', name, '--videos', '2', '--camus', '2', '--jobs', jobs]
    full = subprocess.run(
        [sys.executable, '-m', 'echocardmae_mm', 'phantoms', '--out', tmp_path, *SEED, *options],
        capture_output=True, text=True, preexec_fn=little_room,
    )  # fmt: skip
    assert full.returncode == 1
    told = full.stderr.splitlines()
    assert told[-2].startswith(f'error: {tmp_path}')
    assert told[-1].startswith('Free some space and repeat the command')
    assert 'Traceback' not in full.stderr
    again = make(tmp_path, *options)
    assert again.returncode == 0, again.stderr
    fresh = tmp_path / 'fresh'
    assert make(fresh, *options).returncode == 0
    made = {p: c for p, c in contents(tmp_path).items() if p.parts[0] != 'fresh'}
    assert made == contents(fresh)
