"""What the folder of a reproduction's step says of it, and whether it may be gone on with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cross_validate import best_checkpoint
from mistakes import UserError

from echocardmae_mm.engine import git_commit
from echocardmae_mm.reproduction import Step
from echocardmae_mm.reproduction.table_report import NOTE
from echocardmae_mm.utils.atomic_files import json_text

ROOT = Path(__file__).parents[1]


def note_of(step: Step, root: Path) -> dict[str, Any] | None:
    """What a step's folder says of it, None where it has none."""
    path = root / step.name / NOTE
    if not path.is_file():
        return None
    try:
        note = json.loads(path.read_text())
        return {**note, 'finished': bool(note['finished']), 'seconds': float(note['seconds'])}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f'{path}: damaged ({error!r})\nRemove its folder to run it again'
        ) from error


def claim(step: Step, root: Path, amp: bool) -> dict[str, Any]:
    """The note of a step, made if it left nothing yet; what another run left is refused."""
    asked = {
        'config': Path(step.config).relative_to(ROOT).as_posix(),
        'settings': {k: v for k, v in step.settings.items() if k != 'packed'},
        'seed': step.seed,
        'folds': step.folds,
        'amp': amp,
    }
    asked = json.loads(json_text(asked))
    folder, commit = root / step.name, git_commit()
    note = note_of(step, root)
    is_trained = folder.is_dir() and any(folder.rglob('*.pth'))
    if note is None and is_trained:
        raise UserError(f'{folder} holds a run, and no {NOTE} that says of what: remove it')
    if note is None or not (note['finished'] or is_trained):
        return {**asked, 'commit': commit, 'seconds': 0.0, 'finished': False}
    if differs := [name for name in asked if note.get(name) != asked[name]]:
        name = differs[0]
        raise UserError(
            f'{folder} was made with {name}={note.get(name)}, now {asked[name]} is asked for\n'
            'Choose another --out, or remove it: nothing is overwritten'
        )
    if not note['finished'] and note.get('commit') != commit:
        raise UserError(
            f'{folder} is half-finished, by commit {note.get("commit")}; this is {commit}\n'
            'Finish it there, choose another --out, or remove it: nothing is overwritten'
        )
    return note


def missing_data(steps: list[Step]) -> list[str]:
    """Folders that steps read and that are not there."""
    read = {step.settings.get(name) for step in steps for name in ('data_root', 'packed')}
    return sorted(folder for folder in read if folder and not Path(folder).is_dir())


def require_data(steps: list[Step]) -> None:
    """Refuse to begin hours of work whose last steps have nothing to read."""
    if missing := missing_data(steps):
        raise UserError(
            f'{", ".join(missing)}: no such folder, and steps read it\n'
            'Lay the data sets into one folder that --data names (docs/data.md), or try --phantom'
        )


def require_origins(steps: list[Step], root: Path, notes: dict[str, dict[str, Any]]) -> None:
    """Refuse results that rest on checkpoints that are no longer there."""
    for step in steps:
        for needed, digest in notes[step.name].get('started_from', {}).items():
            finished = notes[needed]['finished']
            if not finished or digest != digest_of(best_checkpoint(root / needed)):
                raise UserError(
                    f'{root / step.name} rests on another checkpoint than {root / needed} has\n'
                    'Remove it too: nothing is overwritten'
                )


def digest_of(checkpoint: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(checkpoint.read_bytes()).hexdigest()
