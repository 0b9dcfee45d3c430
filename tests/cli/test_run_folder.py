"""Folders that belong to a run."""

import errno
import json

import pytest

from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock, training_lock
from echocardmae_mm.utils.errors import UserError


def test_the_same_run_gets_its_metadata(tmp_path):
    (tmp_path / 'run.json').write_text(json.dumps({'lr': 0.1, 'size': [1, 2], 'seconds': 3}))
    wanted = {'lr': 0.1, 'size': (1, 2)}
    kept = bind_run_folder(
        tmp_path / 'run.json', wanted, 'Remedy', lambda one: {name: one[name] for name in wanted}
    )
    assert kept['seconds'] == 3


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"lr": 0.2}', 'belongs to another run: lr was 0.2, now 0.1\nRemedy'),
        ('{"lr": 0.1, "old": 1}', 'belongs to another run: old was 1, now None\nRemedy'),
        ('[]', 'belongs to another run: lr was None'),
        ('{', 'run.json is damaged or from another program\nRemedy'),
        (None, 'holds a run but lacks its run.json\nRemedy'),
    ],
)
def test_another_run_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / 'run.json').write_text(content)
    with pytest.raises(UserError) as error:
        bind_run_folder(tmp_path / 'run.json', {'lr': 0.1}, 'Remedy')
    assert message in str(error.value)


def test_a_locked_folder_is_refused(tmp_path):
    refused = pytest.raises(UserError, match='another process')
    with folder_lock(tmp_path), refused, folder_lock(tmp_path):
        pass
    with folder_lock(tmp_path):
        pass


@pytest.mark.parametrize('lock', [folder_lock, training_lock])
def test_a_file_system_without_locks_is_used_unlocked(tmp_path, monkeypatch, capsys, lock):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr('fcntl.flock', unsupported)
    monkeypatch.setattr('fcntl.lockf', unsupported)
    with lock(tmp_path):
        assert '(No locks available)' in capsys.readouterr().out


def test_a_folder_is_free_as_soon_as_its_training_is_killed(tmp_path, training_elsewhere):
    training = training_elsewhere(tmp_path / 'run')
    refused = pytest.raises(UserError, match='another training is running in it\nWait')
    with refused, training_lock(tmp_path / 'run'):
        pass
    training.kill()
    training.join()
    with training_lock(tmp_path / 'run'):
        pass
