"""Validate one sample before training."""

from __future__ import annotations

from copy import deepcopy
from traceback import extract_tb

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner, ValLoop, autocast
from mmengine.structures import BaseDataElement

from echocardmae_mm.datasets.seeded_generators import seeded_generators
from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.counter_rng import EpochIndex, RngKey
from echocardmae_mm.utils.errors import UserError


@HOOKS.register_module()
class ValidationCheckHook(Hook):
    """Find faults of the validation before training, not after its first epochs.

    Every rank loads the first validation sample, predicts on it and passes the prediction to a copy
    of the metrics. The state of the run stays the same, and the ranks do not communicate. A custom
    validation loop is not checked.
    """

    priority = 'LOW'  # after hooks that prepare the model

    def before_train(self, runner: Runner) -> None:
        """Validate the first sample.

        Raises:
            UserError: If this fails.
        """
        loop = runner.val_loop
        if getattr(type(loop), 'run_iter', None) is not ValLoop.run_iter:
            return
        if not len(loop.dataloader.dataset):
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
    """What ``ValLoop`` does in its first iteration, without its hooks."""
    sample = loop.dataloader.dataset[EpochIndex(0, epoch=0, seed=runner.seed)]
    batch = loop.dataloader.collate_fn([sample])
    with autocast(enabled=loop.fp16):
        outputs = runner.model.val_step(batch)
    last = outputs[-1]
    if isinstance(last, BaseDataElement) and last.keys() == ['loss']:
        outputs = outputs[:-1]
    deepcopy(loop.evaluator).process(data_samples=outputs, data_batch=batch)


def _describe(error: Exception) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    reason = str(error).partition('\n')[0]
    return (
        f'the first validation sample fails: {type(error).__name__}: {reason} '
        f'({frame.filename}, line {frame.lineno})\n'
        'Correct val_dataloader, val_evaluator or the model, or pass --no-validate'
    )
