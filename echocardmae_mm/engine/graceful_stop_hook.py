"""Ctrl-C and SIGTERM save a checkpoint and leave."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.utils.atomic_backend import AtomicBackend
from echocardmae_mm.engine.worker_signals import let_workers_outlive_signals
from echocardmae_mm.registry import HOOKS

_ONE_SIGNAL_S = 1.0


@HOOKS.register_module()
class GracefulStopHook(Hook):
    """Finishes the iteration at SIGINT or SIGTERM, saves ``interrupted.pth`` and leaves.

    The exit status is 128 plus the signal's number, as a shell expects. A second signal ends the
    process at once; what comes within a second is the same signal, forwarded by ``make``,
    ``timeout`` or ``torchrun``. In distributed training all ranks leave after the same iteration.
    With :class:`ResumableTrainLoop` the signals are given back however training ends.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._signal = 0
        self._time = 0.0
        self._before: dict[int, Any] = {}
        self._group: Any = None

    def before_train(self, runner: Runner) -> None:
        """Take over the signals, before the loading processes are started.

        Args:
            runner (Runner): The runner of the training process.
        """
        if get_world_size() > 1:
            # The ranks agree between CPUs, so that no iteration waits for its GPU.
            self._group = torch.distributed.new_group(backend='gloo')
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._remember)
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                let_workers_outlive_signals(loop.dataloader)

    def before_train_epoch(self, runner: Runner) -> None:
        """Leave if a signal came between the epochs.

        Args:
            runner (Runner): The runner of the training process.
        """
        self._leave_if_asked(runner, runner.iter)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Leave if a signal came.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (dict, optional): Unused. Defaults to None.
        """
        self._leave_if_asked(runner, runner.iter + 1)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: list | None = None,
    ) -> None:
        """Leave if a signal came in a validation; several ranks end it first.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
            outputs (list, optional): Unused. Defaults to None.
        """
        if self._group is None:
            self._leave_if_asked(runner, runner.iter)

    def leave_train(self, runner: Runner) -> None:
        """Give the signals back.

        Args:
            runner (Runner): The runner of the training process.
        """
        while self._before:
            signal.signal(*self._before.popitem())

    def after_train(self, runner: Runner) -> None:
        """Give the signals back after a loop that does not call :meth:`leave_train`.

        Args:
            runner (Runner): The runner of the training process.
        """
        self.leave_train(runner)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not self._signal:
            self._signal, self._time = number, time.monotonic()
            # Logging is not safe here: the signal may have come in the middle of a log line.
            os.write(2, f'{name}: saves after this iteration; once more leaves at once\n'.encode())
        elif time.monotonic() - self._time > _ONE_SIGNAL_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _leave_if_asked(self, runner: Runner, iteration: int) -> None:
        if not runner.optim_wrapper.should_update():
            return  # No checkpoint holds the gradients that are being accumulated.
        asked = self._signal
        if self._group is not None:
            number = torch.tensor(asked)
            all_reduce(number, op='max', group=self._group)
            asked = int(number)  # A signal that came meanwhile counts the next time.
        if not asked:
            return
        path = Path(runner.work_dir, 'interrupted.pth')
        runner.save_checkpoint(
            runner.work_dir,
            path.name,
            meta={'epoch': runner.epoch, 'iter': iteration},
            backend_args={'backend': 'atomic'},
        )
        if is_main_process():
            AtomicBackend().put(str(path).encode(), path.with_name('last_checkpoint'))
        barrier()
        runner.logger.warning(
            f'{signal.Signals(asked).name}: saved {path}; '
            'the same command with --resume goes on from there'
        )
        raise SystemExit(128 + asked)
