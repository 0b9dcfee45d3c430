"""Loading processes that survive the signal which asks the whole job to stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from functools import partial

from torch.utils.data import DataLoader


def let_workers_outlive_signals(loader: DataLoader) -> None:
    """Let a loader's processes, from the next start on, leave only when the main process says so.

    Ctrl-C reaches every process of the terminal, and a scheduler's SIGTERM every process of the
    job. A loading process that died of it would take the training down before it could save.

    Args:
        loader (DataLoader): Its ``worker_init_fn`` is wrapped.
    """
    loader.worker_init_fn = partial(_outlive_signals, loader.worker_init_fn)


def _outlive_signals(worker_init: Callable[[int], None] | None, worker_id: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # Not on macOS, where torch's own handling stays.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_leave_when_told_by_parent, daemon=True).start()
    if worker_init is not None:
        worker_init(worker_id)


def _leave_when_told_by_parent() -> None:
    parent = multiprocessing.parent_process()
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent.pid:  # type: ignore[union-attr]
        continue
    os._exit(0)
