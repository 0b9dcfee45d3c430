"""Record the provenance of a checkpoint: its code and its training recordings."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import CheckpointLoader, Runner

import echocardmae_mm
from echocardmae_mm.datasets.csv_table import write_patient_column
from echocardmae_mm.engine.unwrap import unwrap_datasets
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.config import pretrained_parts
from echocardmae_mm.utils.config_variables import require_used
from echocardmae_mm.utils.git import git_commit

_KEY = 'echocardmae_mm'
_PATIENCE_S = 10.0
_UNRECORDED = 'checkpoints will not record the training videos: %s'


@HOOKS.register_module()
class ProvenanceHook(Hook):
    """Store the provenance of every checkpoint in its ``meta['echocardmae_mm']``.

    * ``version``, ``commit`` and ``seed``;
    * ``videos``, if the training set has ``content_hashes()``: a hash of the bytes of each video
      that this run, or a checkpoint it started from, was trained on; :func:`find_leakage` uses the
      hashes to recognise renamed videos;
    * ``started_from``: those checkpoints, and whether each recorded its videos.

    A thread hashes the videos during the first iterations. In a checkpoint written before it has
    finished, ``videos`` is None, and a run resumed from that checkpoint lists it in
    ``started_from``. If the training set split the patients itself, the hook saves the split as
    ``<work_dir>/split.csv``.
    """

    def __init__(self) -> None:
        self._commit = git_commit()
        self._videos: list[str] | None = None
        self._started_from: list[dict[str, str | bool]] = []
        self._hashing: Thread | None = None

    def before_run(self, runner: Runner) -> None:
        """Reject a config whose ``data_root``, ``ann_file`` or ``packed`` reaches no data set."""
        require_used(runner.cfg, 'data_root', 'ann_file', 'packed')

    def before_train(self, runner: Runner) -> None:
        """Start hashing the training videos."""
        if not is_main_process():
            return
        for dataset in unwrap_datasets(runner.train_dataloader.dataset):
            if split := getattr(dataset, 'splits', None):
                write_patient_column(Path(runner.work_dir) / 'split.csv', 'split', split)
        try:
            self._started_from, seen = _inherited_videos(runner.cfg)
        except OSError as error:
            runner.logger.warning(_UNRECORDED, error)
            return
        self._hashing = Thread(target=self._hash_videos, args=(runner, seen), daemon=True)
        self._hashing.start()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the provenance."""
        if self._hashing is not None:
            self._hashing.join(_PATIENCE_S)
        checkpoint['meta'][_KEY] = {
            'version': echocardmae_mm.__version__,
            'commit': self._commit,
            'seed': runner.seed,
            'videos': self._videos,
            'started_from': self._started_from,
        }

    def _hash_videos(self, runner: Runner, seen: list[str]) -> None:
        try:
            for dataset in unwrap_datasets(runner.train_dataloader.dataset):
                if not hasattr(dataset, 'content_hashes'):
                    return
                seen = seen + dataset.content_hashes()
        except OSError as error:
            runner.logger.warning(_UNRECORDED, error)
            return
        self._videos = list(dict.fromkeys(seen))


def read_provenance(checkpoint: str) -> dict[str, Any]:
    """Read the provenance that :class:`ProvenanceHook` recorded.

    Args:
        checkpoint (str): Path or URL.

    Returns:
        dict: ``version``, ``commit``, ``seed``, ``videos`` (hashes, or None if unknown) and
        ``started_from``, one dict per checkpoint that the run started from, with its name as
        ``checkpoint`` and whether it recorded its videos as ``known``. For a checkpoint of another
        program, only ``videos=None`` and an empty ``started_from``.
    """
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    meta = content.get('meta') if isinstance(content, dict) else None
    return {'videos': None, 'started_from': [], **((meta or {}).get(_KEY) or {})}


def starting_points(cfg: Config) -> list[str]:
    """Checkpoints that a run starts from: ``load_from`` and every ``init_cfg`` of the model."""
    named = [cfg['load_from']] if cfg.get('load_from') else []
    return list(dict.fromkeys([*named, *pretrained_parts(cfg).values()]))


def _inherited_videos(cfg: Config) -> tuple[list[dict[str, str | bool]], list[str]]:
    """Entries of ``started_from``, and hashes of the videos those checkpoints were trained on."""
    seen: list[str] = []
    known: dict[str, bool] = {}
    for checkpoint in starting_points(cfg):
        origin = read_provenance(checkpoint)
        seen += origin['videos'] or ()
        known.update((start['checkpoint'], start['known']) for start in origin['started_from'])
        is_this_run = cfg.get('resume') and checkpoint == cfg['load_from']
        if not is_this_run or origin['videos'] is None:
            known[checkpoint] = origin['videos'] is not None
    return [{'checkpoint': name, 'known': is_known} for name, is_known in known.items()], seen
