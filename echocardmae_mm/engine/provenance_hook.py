"""Checkpoints that say where they come from."""

from __future__ import annotations

import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

import echocardmae_mm
from echocardmae_mm.registry import HOOKS


def git_commit() -> str | None:
    """Commit of the checkout that this package runs from.

    Returns:
        str | None: The commit, with ``-dirty`` where tracked files were changed; None where the
        package was not installed from a checkout.
    """
    command = ['git', 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*']
    folder = Path(echocardmae_mm.__file__).parent
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Adds to ``meta['echocardmae_mm']`` what a checkpoint saw and which code wrote it.

    ``version``, ``commit``, ``seed`` and, where the training set offers ``content_hashes()``,
    ``videos``: a hash of each training video's bytes, by which a test set that overlaps can be
    recognised under whatever name. They are computed beside the first iterations.
    """

    def before_train(self, runner: Runner) -> None:
        """Begins to hash the training videos.

        Args:
            runner (Runner): The runner of the training process.
        """
        self._commit = git_commit()
        self._hashes: Future[list[str]] | None = None
        dataset = runner.train_dataloader.dataset
        if hasattr(dataset, 'content_hashes'):
            pool = ThreadPoolExecutor(1, thread_name_prefix='content-hashes')
            self._hashes = pool.submit(dataset.content_hashes)
            pool.shutdown(wait=False)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Adds the provenance.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What is about to be written.
        """
        checkpoint['meta']['echocardmae_mm'] = dict(
            version=echocardmae_mm.__version__,
            commit=self._commit,
            seed=runner.seed,
            videos=self._hashes.result() if self._hashes else None,
        )
