"""The command ``pack``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.datasets.recordings.packing import StoreWriter, decode

COMMAND = [sys.executable, '-m', 'echocardmae_mm', 'pack']


def test_a_data_set_is_packed_on_two_processes(command, echonet_root, tmp_path):
    done = command('pack', echonet_root, '--out', tmp_path / 'store', '--jobs', '2')
    assert done.returncode == 0, done.stderr
    assert f'{tmp_path / "store"}: 8 recordings, 0 of them grey, 0.0 GB' in done.stdout
    assert len(PackedStore(tmp_path / 'store').recordings) == 8
    again = command('pack', echonet_root, '--out', tmp_path / 'store')
    assert again.returncode == 0, again.stderr
    assert 'all checksums match' in again.stdout
    with (tmp_path / 'store' / 'frames.bin').open('r+b') as file:
        file.write(b'rot')
    rotten = command('pack', echonet_root, '--out', tmp_path / 'store')
    assert rotten.returncode == 1
    assert '1 recordings are damaged' in rotten.stderr


def test_a_finished_store_is_compared_with_what_is_asked_for(command, tmp_path, make_video):
    make_video(tmp_path / 'data' / '1.avi')
    assert command('pack', tmp_path / 'data', '--out', tmp_path / 'store').returncode == 0
    make_video(tmp_path / 'data' / '2.avi')
    again = command('pack', tmp_path / 'data', '--out', tmp_path / 'store')
    assert again.returncode == 1
    assert f'lacks 1 recordings of {tmp_path / "data"}, such as 2.avi; they were' in again.stderr
    (tmp_path / 'data').rename(tmp_path / 'moved')
    (tmp_path / 'moved' / '2.avi').unlink()
    assert command('pack', tmp_path / 'moved', '--out', tmp_path / 'store').returncode == 0


@pytest.mark.parametrize('is_finished', [True, False])
def test_a_replaced_file_of_the_same_size_is_noticed(command, tmp_path, make_video, is_finished):
    video = make_video(tmp_path / 'data' / '1.avi', 8)
    writer = StoreWriter(tmp_path / 'store', tmp_path / 'data')
    writer.add('1.avi', decode(video))
    if is_finished:
        writer.finish()
    else:
        make_video(tmp_path / 'data' / '2.avi', 8)
        writer._lock.close()
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    again = command('pack', tmp_path / 'data', '--out', tmp_path / 'store', '--jobs', '1')
    assert again.returncode == 1
    assert '1 recordings were replaced after they were packed, such as 1.avi\n' in again.stderr


@pytest.fixture
def many(echonet_root, tmp_path) -> Path:
    """A folder that takes a while."""
    recording = next((echonet_root / 'Videos').glob('*.avi'))
    (tmp_path / 'many').mkdir()
    for index in range(200):
        shutil.copy(recording, tmp_path / 'many' / f'{index}.avi')
    return tmp_path / 'many'


def begun(root: Path, store: Path) -> subprocess.Popen:
    """A call that has written its first recordings."""
    command = [*COMMAND, root, '--out', store, '--jobs', '2']
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background job, such as this test may run in, hands an ignored Ctrl-C on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    lines = store / 'index.jsonl.part'
    while not (lines.exists() and len(lines.read_text().splitlines()) > 1):
        assert process.poll() is None
        time.sleep(0.001)
    return process


def test_stopped_by_the_keyboard_it_goes_on(command, many, tmp_path):
    process = begun(many, tmp_path / 'store')
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == 'interrupted; repeat the command to continue'
    assert 'Traceback' not in errors
    done = command('pack', many, '--out', tmp_path / 'store')
    assert done.returncode == 0, done.stderr
    assert '200 recordings' in done.stdout


def test_a_killed_process_is_named_and_the_repeated_command_goes_on(command, many, tmp_path):
    process = begun(many, tmp_path / 'store')
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert 'was killed, perhaps because memory ran out' in errors
    assert 'Traceback' not in errors
    killed = begun(many, tmp_path / 'store')
    killed.kill()
    killed.communicate(timeout=60)
    done = command('pack', many, '--out', tmp_path / 'store')
    assert done.returncode == 0, done.stderr
    assert '200 recordings' in done.stdout


def test_a_mistake_costs_two_lines_at_most(command):
    done = command('pack', 'nowhere', '--out', 'x')
    assert done.returncode == 1
    assert 'no such folder' in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
