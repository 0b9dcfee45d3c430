"""Mixed precision on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from echocardmae_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """``OptimWrapper`` whose forward pass runs under bfloat16 autocast on the CPU.

    mmengine's ``AmpOptimWrapper`` refuses to work without an accelerator. bfloat16 has float32's
    range, so no loss is scaled. ``tools/train.py --amp`` chooses it where there is no GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast around the forward pass.

        Args:
            model (nn.Module): The model that is trained.

        Yields:
            None: Nothing; the forward pass runs inside.
        """
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield
