"""MMAction2 converts the scores of a training step to NumPy, which does not have bfloat16."""

from __future__ import annotations

from functools import wraps
from types import ModuleType
from typing import Any

from echocardmae_mm.compat.patch import Execute, Patch, source_has


def _needed() -> bool:
    return source_has('mmaction', 'models/heads/base.py', 'cls_scores.detach().cpu().numpy()')


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    loss_by_feat = module.BaseHead.loss_by_feat

    @wraps(loss_by_feat)
    def in_float32(head: Any, cls_scores: Any, data_samples: Any) -> Any:
        return loss_by_feat(head, cls_scores.float(), data_samples)

    module.BaseHead.loss_by_feat = in_float32


BFLOAT16_SCORES = Patch(
    name='mmaction2: bfloat16 scores raised a TypeError in training; converted to float32',
    issue='https://github.com/pytorch/pytorch/issues/110285',
    modules=('mmaction.models.heads.base',),
    needed=_needed,
    apply=_apply,
)
