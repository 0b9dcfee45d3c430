"""Steps of a reproduction: the metadata in their folders, and checks before they run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmengine.config import Config

from echocardmae_mm.cli.run_folder import bind_run_folder
from echocardmae_mm.reproduction import Step
from echocardmae_mm.reproduction.table_report import STEP_METADATA
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256
from echocardmae_mm.utils.git import git_commit

Metadata = dict[str, Any]
_REMEDY = 'Choose another --out, or remove the folder to repeat the step'


def read_metadata(step: Step, root: Path) -> Metadata | None:
    """Metadata of a step; None if it has not been started."""
    path = root / step.name / STEP_METADATA
    if not path.is_file():
        return None
    try:
        metadata = json.loads(path.read_text(encoding='utf-8'))
        finished, seconds = bool(metadata['finished']), float(metadata['seconds'])
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{path} is damaged or from another program\n{_REMEDY}') from None
    return {**metadata, 'finished': finished, 'seconds': seconds}


def write_metadata(step: Step, root: Path, metadata: Metadata) -> None:
    """Write the metadata of a step into its folder."""
    folder = root / step.name
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_text(folder / STEP_METADATA, json_text(metadata))


def bind_step(step: Step, root: Path, amp: bool) -> Metadata:
    """Metadata of a step, new if its folder holds no checkpoint; refuses another run's folder."""
    wanted = {
        'config': f'configs/{Path(step.config).as_posix().rpartition("configs/")[2]}',
        'settings': {name: value for name, value in step.settings.items() if name != 'packed'},
        'seed': step.seed,
        'folds': step.folds,
        'amp': amp,
    }
    folder, commit = root / step.name, git_commit()
    kept = read_metadata(step, root)
    is_trained = folder.is_dir() and any(folder.rglob('*.pth'))
    if not is_trained and not (kept and kept['finished']):
        return {**wanted, 'commit': commit, 'seconds': 0.0, 'finished': False}
    bind_run_folder(
        folder / STEP_METADATA,
        wanted,
        _REMEDY,
        lambda metadata: {name: metadata.get(name) for name in wanted},
    )
    assert kept is not None
    if not kept['finished'] and kept.get('commit') != commit:
        raise UserError(
            f'{folder} was started at commit {kept.get("commit")} and is unfinished; this '
            f'is {commit}\nFinish it at that commit, choose another --out, or remove the folder'
        )
    return kept


def missing_data(steps: list[Step]) -> list[str]:
    """Data folders that the steps need and that do not exist."""
    folders = {step.settings.get(name) for step in steps for name in ('data_root', 'packed')}
    return sorted(folder for folder in folders if folder and not Path(folder).is_dir())


def missing_weights(steps: list[Step]) -> list[str]:
    """Files with published weights that the steps start from and that do not exist."""
    files = set()
    for step in steps:
        loaded = None if step.starts else Config.fromfile(step.config).get('load_from')
        named = (value for key, value in step.settings.items() if key.endswith('.checkpoint'))
        files |= {file for file in (loaded, *named) if file and '://' not in file}
    return sorted(file for file in files if not Path(file).is_file())


def require_inputs(steps: list[Step]) -> None:
    """Refuse to start hours of work whose last steps lack their data or initial weights."""
    if missing := missing_data(steps):
        raise UserError(
            f'{", ".join(missing)}: no such folder\n'
            'Put the data sets into the folder that --data names (docs/data.md), or try --phantom'
        )
    if missing := missing_weights(steps):
        raise UserError(
            f'{", ".join(missing)}: no such file\n'
            'Download the published weights and convert them as docs/baselines.md says'
        )


def require_origins(steps: list[Step], root: Path, metadata: dict[str, Metadata]) -> None:
    """Refuse results of checkpoints that have changed since."""
    for step in steps:
        kept = metadata[step.name].get('started_from')
        if not kept:
            continue
        try:
            current = started_from(step, root)
        except FileNotFoundError:
            current = {}
        for needed, digest in kept.items():
            if current.get(needed) != digest:
                raise UserError(
                    f'{root / step.name} started from another checkpoint than '
                    f'{root / needed} holds now\nRemove {root / step.name} to run it again'
                )


def started_from(step: Step, root: Path) -> dict[str, str]:
    """SHA-256 of the checkpoints that a step starts from or compares, by their steps."""
    compares = step.rule == 'clip_consistency'
    names = [name for name in step.needs if compares or (step.starts and name == step.needs[0])]
    return {name: file_sha256(best_checkpoint(root / name)) for name in names}


def best_checkpoint(folder: Path) -> Path:
    """The checkpoint with the best validation result, or else the last one."""
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    return best[-1] if best else last_checkpoint(folder)


def last_checkpoint(folder: Path) -> Path:
    """The checkpoint after the last epoch."""
    return folder / Path((folder / 'last_checkpoint').read_text().strip()).name
