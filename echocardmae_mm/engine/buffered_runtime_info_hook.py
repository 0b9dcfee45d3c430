"""Log runtime information without a GPU synchronisation in every iteration."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from echocardmae_mm.registry import HOOKS


@HOOKS.register_module()
class BufferedRuntimeInfoHook(RuntimeInfoHook):
    """``RuntimeInfoHook`` that reads the losses of many iterations at once.

    In every iteration, mmengine's own hook reads each loss, which waits for the GPU, and copies its
    history of up to a million values. This hook leaves losses on the device until the log is
    written, and keeps only the values that the log averages over. The log is the same.

    Args:
        history (int): Minimum number of values to keep per quantity. Longer epochs and longer
            windows of the log processor raise it; ``window_size='global'`` keeps all values.
            Defaults to 2000.
    """

    def __init__(self, history: int = 2000) -> None:
        self.history = history
        self._interval = 1
        self._buffer: list[dict[str, Any]] = []

    def before_train(self, runner: Runner) -> None:
        """Find out how often the log is written."""
        super().before_train(runner)
        intervals = [hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = math.gcd(*intervals) or 1
        self._buffer.clear()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Buffer the losses, which are numbers or tensors with one element."""
        if outputs is not None:
            self._buffer.append(
                {n: v.detach() if isinstance(v, Tensor) else v for n, v in outputs.items()}
            )
        if self.every_n_inner_iters(batch_idx, self._interval) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        ):
            self._flush(runner)
            self._bound_history(runner)

    def after_train(self, runner: Runner) -> None:
        """Flush the iterations after the last log line."""
        self._flush(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Include the buffered iterations in the checkpoint."""
        self._flush(runner)
        checkpoint['message_hub'] = runner.message_hub.state_dict()

    def _flush(self, runner: Runner) -> None:
        names = [name for outputs in self._buffer for name in outputs]
        values: list[Any] = [value for outputs in self._buffer for value in outputs.values()]
        tensors = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        for device in {values[i].device for i in tensors}:
            on_device = [i for i in tensors if values[i].device == device]
            scalars = torch.stack([values[i].float().reshape(()) for i in on_device])
            for i, value in zip(on_device, scalars.tolist()):  # one synchronisation
                values[i] = value
        for name, value in zip(names, values):
            runner.message_hub.update_scalar(f'train/{name}', value)
        self._buffer.clear()

    def _bound_history(self, runner: Runner) -> None:
        processor = runner.log_processor
        windows = [processor.window_size, *(c.get('window_size', 0) for c in processor.custom_cfg)]
        if 'global' in windows:
            return
        lengths = [window for window in windows if isinstance(window, int)]
        length = max(self.history, len(runner.train_dataloader), *lengths)
        for buffer in runner.message_hub.log_scalars.values():
            buffer.max_length = min(buffer.max_length, length)
