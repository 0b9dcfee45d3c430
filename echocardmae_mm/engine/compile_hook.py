"""Compile the model when training begins."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.engine.unwrap import unwrap_model
from echocardmae_mm.registry import HOOKS


@HOOKS.register_module()
class CompileHook(Hook):
    """Apply ``torch.compile`` to ``model.loss`` when training begins.

    mmengine's own ``compile`` setting compiles the whole training step, including data preprocessor
    and optimizer; this hook compiles only the losses and their gradients. Shapes are static,
    because the number of visible tokens is a constant of the config.

    Args:
        **kwargs (Any): Arguments of ``torch.compile``, such as ``mode='reduce-overhead'`` for CUDA
            graphs.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = {'dynamic': False, **kwargs}

    def before_train(self, runner: Runner) -> None:
        """Replace ``loss`` with its compiled form."""
        model = unwrap_model(runner.model)
        # A bound method, so that a copy of the model, such as EMA's, calls its own.
        compiled = torch.compile(type(model).loss, **self.kwargs)
        model.loss = MethodType(compiled, model)
