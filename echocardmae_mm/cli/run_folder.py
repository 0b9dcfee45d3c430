"""Folders of runs: one process at a time, and no results of different runs in one folder."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.atomic_files import json_text
from echocardmae_mm.utils.config import settings_of
from echocardmae_mm.utils.errors import UserError

Record = dict[str, Any]

#: Settings that may differ between machines that continue a run.
MACHINE_SETTINGS = {'data_root', 'packed', 'work_dir', 'num_workers', 'persistent_workers'}


def portable_settings(config: Config) -> Record:
    """Settings of a config by their keys, without those that differ between machines."""
    return {
        key: value
        for key, value in settings_of(config).items()
        if not MACHINE_SETTINGS & set(key.split('.'))
    }


def bind_run_folder(
    metadata: Path,
    wanted: Record,
    remedy: str,
    select: Callable[[Record], Record] = dict,
) -> Record:
    """Read the metadata of a run folder, and refuse the folder of a different run.

    Args:
        metadata (Path): JSON file in the folder; it must exist if the folder is in use.
        wanted (Record): Settings of the run that wants the folder.
        remedy (str): Second line of every error: what to do.
        select (Callable): Selects the settings to compare from the metadata. Defaults to all.

    Returns:
        Record: The metadata.

    Raises:
        UserError: If a setting differs, or the file is missing or damaged.
    """
    folder, wanted = metadata.parent, json.loads(json_text(wanted))
    if not metadata.is_file():
        raise UserError(f'{folder} holds a run but lacks its {metadata.name}\n{remedy}')
    try:
        kept = json.loads(metadata.read_text(encoding='utf-8'))
        bound = select(kept)
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{metadata} is damaged or from another program\n{remedy}') from None
    for name in sorted(bound | wanted):
        if bound.get(name) != wanted.get(name):
            raise UserError(
                f'{folder} belongs to another run: {name} was {bound.get(name)}, '
                f'now {wanted.get(name)}\n{remedy}'
            )
    return kept


@contextmanager
def folder_lock(folder: Path) -> Iterator[int]:
    """Lock a folder against other processes.

    Yields:
        int: The lock's descriptor. A child that inherits it keeps the folder locked until the child
        ends, even if this process dies first. If the file system has no locks, nothing is locked.
    """
    with (folder / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f'{folder}: another process is running in it') from None
        except OSError as error:
            print(f'{folder}: not locked against other processes ({error.strerror})')
        yield lock.fileno()


@contextmanager
def training_lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other trainings until this process ends.

    Workers do not inherit the lock, so a killed run can be resumed at once. Training continues
    without a lock if the file system has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / '.training').open('w') as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise UserError(
                f'{folder}: another training is running in it\n'
                'Wait until it ends, or choose another --work-dir'
            ) from None
        except OSError as error:
            print(f'{folder}: not locked against other trainings ({error.strerror})')
        yield
