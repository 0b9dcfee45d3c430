"""Train the head of a recognizer on a frozen backbone."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.engine.unwrap import unwrap_model
from echocardmae_mm.registry import HOOKS


@HOOKS.register_module()
class FrozenBackboneHook(Hook):
    """Freeze the backbone: no gradients, and evaluation mode for dropout and BatchNorm.

    Use it for the second stage of CoReEcho, or to train only a new head on a pretrained encoder.
    """

    def before_train(self, runner: Runner) -> None:
        """Stop the gradients."""
        unwrap_model(runner.model).backbone.requires_grad_(False)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Undo ``train()``, which the loop calls on the whole model."""
        unwrap_model(runner.model).backbone.eval()
