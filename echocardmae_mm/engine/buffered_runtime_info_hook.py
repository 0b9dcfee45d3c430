"""What mmengine notes at each iteration, at a cost that neither waits for a GPU nor grows."""

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
    """``RuntimeInfoHook`` that hands the losses of many iterations over at once.

    mmengine's own asks for the value of each loss at each iteration, for which the GPU must finish
    the step first, and keeps up to a million values of each in an array that is copied at each
    iteration. This one keeps losses on the device until the log is written, and as many values as
    the log looks back on. What is logged is the same.

    Args:
        history (int): Values that are kept of each quantity, at least; no fewer than an epoch has
            iterations, or the windows of the log processor. With ``window_size='global'`` in it
            all are kept. Defaults to 2000.
    """

    def __init__(self, history: int = 2000) -> None:
        self.history = history
        self._interval = 1
        self._waiting: list[dict[str, Any]] = []

    def before_train(self, runner: Runner) -> None:
        """Find out how often and how far back the log is looked at.

        Args:
            runner (Runner): The runner of the training process.
        """
        super().before_train(runner)
        intervals = [hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)]
        self._interval = math.gcd(*intervals) or 1
        self._waiting.clear()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Note the losses.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Index of the batch in the loop.
            data_batch (Any, optional): Unused.
            outputs (dict, optional): Losses, scalars or tensors of one value.
        """
        if outputs is not None:
            self._waiting.append(
                {n: v.detach() if isinstance(v, Tensor) else v for n, v in outputs.items()}
            )
        if self.every_n_inner_iters(batch_idx, self._interval) or self.end_of_epoch(
            runner.train_dataloader, batch_idx
        ):
            self._hand_over(runner)
            self._bound_history(runner)

    def after_train(self, runner: Runner) -> None:
        """Hand over what came after the last line of the log.

        Args:
            runner (Runner): The runner of the training process.
        """
        self._hand_over(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Let a checkpoint, whenever it is written, carry what was not handed over yet.

        Args:
            runner (Runner): The runner of the training process.
            checkpoint (dict): What is about to be written.
        """
        self._hand_over(runner)
        checkpoint['message_hub'] = runner.message_hub.state_dict()

    def _hand_over(self, runner: Runner) -> None:
        names = [name for outputs in self._waiting for name in outputs]
        values: list[Any] = [value for outputs in self._waiting for value in outputs.values()]
        places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        for device in {values[i].device for i in places}:
            there = [i for i in places if values[i].device == device]
            scalars = torch.stack([values[i].float().reshape(()) for i in there])
            for i, value in zip(there, scalars.tolist()):
                values[i] = value
        for name, value in zip(names, values):
            runner.message_hub.update_scalar(f'train/{name}', value)
        self._waiting.clear()

    def _bound_history(self, runner: Runner) -> None:
        processor = runner.log_processor
        windows = [processor.window_size, *(c.get('window_size', 0) for c in processor.custom_cfg)]
        if 'global' in windows:
            return
        looked_back = [window for window in windows if isinstance(window, int)]
        length = max(self.history, len(runner.train_dataloader), *looked_back)
        for buffer in runner.message_hub.log_scalars.values():
            buffer.max_length = min(buffer.max_length, length)
