"""Checkpoints that say where they come from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from threading import Thread

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

import echocardmae_mm
from echocardmae_mm.registry import HOOKS

from .innermost_datasets import innermost_datasets

_PATIENCE_S = 10.0


def git_commit() -> str | None:
    """Commit of the checkout that this package runs from.

    Returns:
        str | None: The commit, with ``-dirty`` where tracked files were changed; None where the
        package was not installed from a checkout.
    """
    tracked = _git('ls-files', '__init__.py')
    commit = _git('describe', '--always', '--dirty', '--abbrev=40', '--exclude=*')
    return (tracked and commit) or None


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Adds to ``meta['echocardmae_mm']`` what a checkpoint saw and which code wrote it.

    ``version``, ``commit``, ``seed`` and, where the training set offers ``content_hashes()``,
    ``videos``: a hash of each training video's bytes, by which a test set that overlaps can be
    recognised under whatever name. They are computed beside the first iterations; a checkpoint
    that is written before they are ready has None there. mmengine stores the config itself.
    """

    def __init__(self) -> None:
        self._commit = git_commit()
        self._videos: list[str] | None = None
        self._hashing: Thread | None = None

    def before_train(self, runner: Runner) -> None:
        """Begin to hash the training videos.

        Args:
            runner (Runner): The runner of the training process.
        """
        if is_main_process():
            self._hashing = Thread(target=self._hash_videos, args=(runner,), daemon=True)
            self._hashing.start()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the provenance.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What is about to be written.
        """
        if self._hashing is not None:
            self._hashing.join(_PATIENCE_S)
        checkpoint['meta']['echocardmae_mm'] = {
            'version': echocardmae_mm.__version__,
            'commit': self._commit,
            'seed': runner.seed,
            'videos': self._videos,
        }

    def _hash_videos(self, runner: Runner) -> None:
        hashes: list[str] = []
        for dataset in innermost_datasets(runner.train_dataloader.dataset):
            if not hasattr(dataset, 'content_hashes'):
                return
            try:
                hashes += dataset.content_hashes()
            except OSError as error:
                runner.logger.warning(f'checkpoints will not name the training videos: {error}')
                return
        self._videos = hashes


def _git(*arguments: str) -> str:
    folder = Path(echocardmae_mm.__file__).parent
    try:
        run = subprocess.run(
            ['git', *arguments], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return run.stdout.strip()
