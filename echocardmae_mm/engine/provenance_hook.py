"""Checkpoints that say where they come from."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

import echocardmae_mm
from echocardmae_mm.datasets.patient_split import write_split
from echocardmae_mm.engine.provenance import KEY, git_commit, read_provenance, starting_points
from echocardmae_mm.engine.unwrap_datasets import unwrap_datasets
from echocardmae_mm.registry import HOOKS

_PATIENCE_S = 10.0
_UNNAMED = 'checkpoints will not name the training videos: %s'


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Adds to ``meta['echocardmae_mm']`` what a checkpoint saw and which code wrote it.

    ``version``, ``commit``, ``seed`` and, where the training set offers ``content_hashes()``,
    ``videos``: a hash of the bytes of each video that it was trained on, or that the checkpoints it
    started from were, by which a test set that overlaps can be recognised under whatever name.
    ``started_from`` names those checkpoints, and tells which of them did not say what they saw.
    Videos are hashed beside the first iterations; a checkpoint that is written before that is done
    has None there, and a run that is resumed from it counts it among those that do not say.
    mmengine stores the config itself. A split of patients that the training set drew is kept as
    ``<work_dir>/split.csv``, to be given to others.
    """

    def __init__(self) -> None:
        self._commit = git_commit()
        self._videos: list[str] | None = None
        self._started_from: list[dict[str, str | bool]] = []
        self._finding_out: Thread | None = None

    def before_train(self, runner: Runner) -> None:
        """Begin to find out what the model has seen and will see.

        Args:
            runner (Runner): The runner of the training process.
        """
        if is_main_process():
            for dataset in unwrap_datasets(runner.train_dataloader.dataset):
                if split := getattr(dataset, 'splits', None):
                    write_split(Path(runner.work_dir) / 'split.csv', split)
            try:
                self._started_from, seen = _seen_before(runner.cfg)
            except OSError as error:
                runner.logger.warning(_UNNAMED, error)
                return
            self._finding_out = Thread(target=self._find_out, args=(runner, seen), daemon=True)
            self._finding_out.start()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the provenance.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What is about to be written.
        """
        if self._finding_out is not None:
            self._finding_out.join(_PATIENCE_S)
        checkpoint['meta'][KEY] = {
            'version': echocardmae_mm.__version__,
            'commit': self._commit,
            'seed': runner.seed,
            'videos': self._videos,
            'started_from': self._started_from,
        }

    def _find_out(self, runner: Runner, seen: list[str]) -> None:
        try:
            for dataset in unwrap_datasets(runner.train_dataloader.dataset):
                if not hasattr(dataset, 'content_hashes'):
                    return
                seen = seen + dataset.content_hashes()
        except OSError as error:
            runner.logger.warning(_UNNAMED, error)
            return
        self._videos = list(dict.fromkeys(seen))


def _seen_before(cfg: dict) -> tuple[list[dict[str, str | bool]], list[str]]:
    """The checkpoints that a run starts from, whether each says what it saw, and what they saw."""
    seen: list[str] = []
    known: dict[str, bool] = {}
    for checkpoint in starting_points(cfg):
        origin = read_provenance(checkpoint)
        seen += origin.get('videos') or ()
        known.update((start['checkpoint'], start['known']) for start in origin['started_from'])
        is_this_run = cfg.get('resume') and checkpoint == cfg['load_from']
        if not is_this_run or origin['videos'] is None:
            known[checkpoint] = origin['videos'] is not None
    return [{'checkpoint': name, 'known': says} for name, says in known.items()], seen
