"""torch drops a batch that a data loader's worker cannot send, and waits for it forever."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from multiprocessing.queues import Queue
from types import ModuleType
from typing import Any

from echocardmae_mm.compat.patch import Execute, Patch


def _run_worker(worker_loop: Callable[..., None], *args: Any) -> None:
    for arg in args:
        if isinstance(arg, Queue):
            arg._on_queue_feeder_error = partial(_send_error, arg)  # type: ignore[attr-defined]
    worker_loop(*args)


def _send_error(queue: Queue, error: Exception, batch: Any) -> None:
    """Send an error instead of the batch; the main process raises it."""
    from torch._utils import ExceptionWrapper

    if isinstance(batch, tuple):  # otherwise the main process no longer receives
        info = (type(error), error, error.__traceback__)
        queue.put((batch[0], ExceptionWrapper(info, 'while a worker sent a batch')))


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    module._worker_loop = partial(_run_worker, module._worker_loop)  # type: ignore[attr-defined]


UNSENT_BATCHES = Patch(
    name='torch: a worker that cannot send a batch stops the run, which waited forever',
    issue='https://github.com/pytorch/pytorch/issues/1355',
    modules=('torch.utils.data._utils.worker',),
    needed=lambda: True,
    apply=_apply,
)
