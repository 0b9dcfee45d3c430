"""Ctrl-C and SIGTERM save a checkpoint and leave."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.registry import HOOKS

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@HOOKS.register_module()
class SafeStopHook(Hook):
    """Finishes the iteration at SIGINT or SIGTERM, saves ``interrupted.pth`` and leaves.

    The exit status is 128 plus the signal's number, as a shell expects. A second signal ends the
    process at once. In distributed training the ranks agree on the iteration after which they stop.

    Args:
        interval (int): Iterations between two such agreements; one process alone looks at every
            iteration. Defaults to 10.
    """

    priority = 'LOWEST'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval
        self._signal = 0
        self._before: dict[int, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Takes over the signals, before the loading processes are started.

        Args:
            runner (Runner): The runner of the training process.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        main_process = os.getpid()

        def remember(number: int, frame: FrameType | None) -> None:
            if os.getpid() == main_process:
                self._signal = number
                self._restore()
                runner.logger.warning(
                    f'{signal.Signals(number).name}: saving after this iteration; '
                    'once more ends at once'
                )

        self._before = {number: signal.signal(number, remember) for number in SIGNALS}
        loader = runner.train_dataloader
        loader.worker_init_fn = partial(_outlive_the_signal, loader.worker_init_fn)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Saves and leaves if a signal came.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (dict, optional): Unused. Defaults to None.
        """
        if get_world_size() > 1:
            if not self.every_n_train_iters(runner, self.interval):
                return
            number = torch.tensor(self._signal)
            all_reduce(number, op='max')
            self._signal = int(number)
        if self._signal:
            self._save_and_leave(runner, runner.iter + 1)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: list | None = None,
    ) -> None:
        """Saves and leaves if a signal came during a validation between epochs.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (list, optional): Unused. Defaults to None.
        """
        if self._signal and get_world_size() == 1:
            self._save_and_leave(runner, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Gives the signals back.

        Args:
            runner (Runner): The runner of the training process.
        """
        self._restore()

    def _save_and_leave(self, runner: Runner, iteration: int) -> None:
        runner.save_checkpoint(
            runner.work_dir,
            'interrupted.pth',
            meta=dict(epoch=runner.epoch, iter=iteration),
            backend_args=dict(backend='atomic'),
        )
        path = Path(runner.work_dir) / 'interrupted.pth'
        if is_main_process():
            (Path(runner.work_dir) / 'last_checkpoint').write_text(str(path))
        runner.logger.warning(f'saved {path}; the same command with --resume goes on from there')
        self._restore()
        raise SystemExit(128 + self._signal)

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)


def _outlive_the_signal(worker_init: Callable[[int], None] | None, worker_id: int) -> None:
    """Lets a loading process survive the one signal that a whole process group receives."""

    def ignore_once(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, ignore_once)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if worker_init is not None:
        worker_init(worker_id)
