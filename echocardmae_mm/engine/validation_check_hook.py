"""Validate one sample before training."""

from __future__ import annotations

from copy import deepcopy
from traceback import extract_tb
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner, ValLoop, autocast
from mmengine.structures import BaseDataElement

from echocardmae_mm.datasets.seeded_generators import seeded_generators
from echocardmae_mm.engine.skipping_val_loop import SkippingValLoop
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.counter_rng import EpochIndex, RngKey
from echocardmae_mm.utils.errors import RecordingError, UserError


@HOOKS.register_module()
class ValidationCheckHook(Hook):
    """Find faults of the validation before training, not after its first epochs.

    Every rank loads the first validation sample, predicts on it and passes the prediction to a copy
    of the metrics. The state of the run stays the same, and the ranks do not communicate. With
    :class:`SkippingValLoop` it is the first sample that can be used. Other custom loops are not
    checked.
    """

    priority = 'LOW'  # after hooks that prepare the model

    def before_train(self, runner: Runner) -> None:
        """Validate the first sample.

        Raises:
            UserError: If this fails.
        """
        loop = runner.val_loop
        known = (ValLoop.run_iter, SkippingValLoop.run_iter)
        if getattr(type(loop), 'run_iter', None) not in known:
            return
        was_training = runner.model.training
        runner.model.eval()
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        try:
            with (
                torch.no_grad(),
                torch.random.fork_rng(devices),
                seeded_generators(RngKey(runner.seed, 0, 0)),
            ):
                _validate_first(runner, loop)
        except UserError as error:
            raise UserError(f'the first validation sample fails: {error}') from error
        except Exception as error:
            raise UserError(_describe(error)) from error
        finally:
            runner.model.train(was_training)


def _validate_first(runner: Runner, loop: ValLoop) -> None:
    """Run the first iteration of ``ValLoop`` without its hooks."""
    batch = loop.dataloader.collate_fn([_first_sample(loop, runner.seed)])
    with autocast(enabled=loop.fp16):
        outputs = runner.model.val_step(batch)
    last = outputs[-1]
    if isinstance(last, BaseDataElement) and last.keys() == ['loss']:
        outputs = outputs[:-1]
    deepcopy(loop.evaluator).process(data_samples=outputs, data_batch=batch)


def _first_sample(loop: ValLoop, seed: int) -> Any:
    refusal = None
    for index in range(len(loop.dataloader.dataset)):
        try:
            return loop.dataloader.dataset[EpochIndex(index, epoch=0, seed=seed)]
        except RecordingError as error:
            if not isinstance(loop, SkippingValLoop):
                raise
            refusal = refusal or error
    raise UserError(f'{refusal}\nNo other recording of the validation set can be used either')


def _describe(error: Exception) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    reason = str(error).partition('\n')[0]
    return (
        f'the first validation sample fails: {type(error).__name__}: {reason} '
        f'({frame.filename}, line {frame.lineno})\n'
        'Correct val_dataloader, val_evaluator or the model, or pass --no-validate'
    )
