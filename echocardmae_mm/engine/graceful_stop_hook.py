"""Save a checkpoint and exit on Ctrl-C or SIGTERM."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.atomic_backend import AtomicBackend

_SAME_SIGNAL_S = 1.0


@HOOKS.register_module()
class GracefulStopHook(Hook):
    """On SIGINT or SIGTERM, finish the iteration, save ``interrupted.pth`` and exit.

    The exit status is 128 plus the signal's number. A second signal quits immediately, but is
    ignored within the first second, because ``make``, ``timeout`` and ``torchrun`` forward signals.
    In distributed training all ranks exit after the same iteration. :class:`ResumableTrainLoop`
    restores the signal handlers even if training fails.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._signal = 0
        self._time = 0.0
        self._before: dict[int, Any] = {}
        self._group: Any = None

    def before_train(self, runner: Runner) -> None:
        """Install the signal handlers, before the loaders start their workers."""
        if get_world_size() > 1:
            # Ranks communicate over gloo on the CPU, so that no iteration waits for the GPU.
            self._group = torch.distributed.new_group(backend='gloo')
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle_signal)
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                shield_workers(loop.dataloader)

    def before_train_epoch(self, runner: Runner) -> None:
        """Exit if a signal arrived between epochs."""
        self._stop_if_signalled(runner, runner.iter)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Exit if a signal arrived."""
        self._stop_if_signalled(runner, runner.iter + 1)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Exit if a signal arrived during validation; with several ranks, finish it first."""
        if self._group is None:
            self._stop_if_signalled(runner, runner.iter)

    def leave_train(self, runner: Runner) -> None:
        """Restore the signal handlers."""
        while self._before:
            signal.signal(*self._before.popitem())

    def after_train(self, runner: Runner) -> None:
        """Restore the signal handlers after a loop that does not call :meth:`leave_train`."""
        self.leave_train(runner)

    def _handle_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._signal:
            self._signal, self._time = number, time.monotonic()
            # Logging is not safe here: the signal may interrupt a log line.
            message = (
                f'{signal.Signals(number).name}: saving a checkpoint after this iteration. '
                'Interrupt again to quit immediately.\n'
            )
            os.write(2, message.encode())
        elif time.monotonic() - self._time > _SAME_SIGNAL_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _stop_if_signalled(self, runner: Runner, iteration: int) -> None:
        if not runner.optim_wrapper.should_update():
            return  # a checkpoint does not contain accumulated gradients
        received = self._signal
        if self._group is not None:
            number = torch.tensor(received)
            all_reduce(number, op='max', group=self._group)
            received = int(number)  # signals that arrived since then are handled next time
        if not received:
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
            f'{signal.Signals(received).name}: saved {path}; '
            'repeat the command with --resume to continue'
        )
        raise SystemExit(128 + received)


def shield_workers(loader: DataLoader) -> None:
    """Make the workers of a loader ignore signals from other processes, from their next start.

    Ctrl-C reaches every process of the terminal, and a scheduler's SIGTERM every process of the
    job. A worker that died of either would stop training before it could save.
    """
    loader.worker_init_fn = partial(_ignore_signals_of_others, loader.worker_init_fn)


def _ignore_signals_of_others(worker_init: Callable[[int], None] | None, worker_id: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # absent on macOS, where torch's own handling stays
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_exit_with_parent, daemon=True).start()
    if worker_init is not None:
        worker_init(worker_id)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent.pid:  # type: ignore[union-attr]
        continue
    os._exit(0)
