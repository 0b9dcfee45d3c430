"""Check that a pretrained checkpoint fits a model, and log which tensors are loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import Tensor

from echocardmae_mm.utils.config import CHECKPOINT_INITS, type_name
from echocardmae_mm.utils.errors import UserError

#: The last norm of the encoder is ``norm`` in pretraining, ``fc_norm`` with mean pooling.
LAST_NORMS = ('norm.weight', 'norm.bias', 'fc_norm.weight', 'fc_norm.bias')
_POSITIONS = 'pos_embed'
_PARTS = {'encoder': 'backbone', 'decoder': 'decode_head'}
_PATCH_KERNEL = 'patch_embed.projection.weight'


def pretrained_cfg(init_cfg: dict | list[dict] | None) -> dict[str, Any] | None:
    """Find the entry of an ``init_cfg`` that names a checkpoint.

    Args:
        init_cfg (dict | list[dict], optional): As for mmengine's ``BaseModule``.

    Returns:
        dict, optional: The entry of type 'Pretrained', or None.
    """
    entries = [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []
    return next((entry for entry in entries if type_name(entry) in CHECKPOINT_INITS), None)


def report_checkpoint(
    module: BaseModule,
    part: str = 'encoder',
    may_be_fresh: Collection[str] = LAST_NORMS,
    may_be_unused: Collection[str] = LAST_NORMS,
    left_fresh: Collection[str] = (),
    adapt: Callable[[dict[str, Tensor]], None] | None = None,
) -> None:
    """Log which tensors a module will load; reject a checkpoint that does not fit.

    Args:
        module (BaseModule): The encoder or decoder; without a checkpoint in ``init_cfg``, there is
            nothing to report.
        part (str): 'encoder' or 'decoder'. Defaults to 'encoder'.
        may_be_fresh (Collection[str]): Tensors of the module that the checkpoint may lack. Defaults
            to the encoder's last norms.
        may_be_unused (Collection[str]): Tensors of the checkpoint that the module may lack.
            Defaults to the encoder's last norms.
        left_fresh (Collection[str]): Tensors to keep at their initial values. Defaults to ().
        adapt (Callable, optional): Called with the part's tensors, by their names in the module,
            to fit them to it in place. Defaults to None.

    Raises:
        UserError: If the file does not exist, lacks the part or has a tensor that does not fit.
    """
    pretrained = pretrained_cfg(module.init_cfg)
    if pretrained is None:
        return
    checkpoint = pretrained['checkpoint']
    found = _load_part(checkpoint, pretrained.get('prefix') or '', part)
    if adapt is not None:
        adapt(found)
    own = {name: tensor for name, tensor in module.state_dict().items() if name != _POSITIONS}
    loaded = own.keys() & found.keys() - set(left_fresh)
    require_same_sizes(own, found, loaded, checkpoint)
    fresh, unused = own.keys() - loaded, found.keys() - loaded - {_POSITIONS}
    unexpected = sorted(fresh - set(may_be_fresh) - set(left_fresh))
    unexpected += sorted(unused - set(may_be_unused) - set(left_fresh))
    if unexpected:
        where = 'the model' if unexpected[0] in fresh else 'the checkpoint'
        raise UserError(
            f'{checkpoint}: {len(unexpected)} tensors are only in {where}, '
            f'such as {unexpected[0]}\n'
            f'Set depth and width as in pretraining, and prefix to that of the {part} in the file'
        )
    print_log(
        f'{part}: {len(loaded)} of {len(own)} tensors from {checkpoint}; '
        f'fresh: {_names(fresh)}; unused: {_names(unused)}; {_POSITIONS} is computed',
        'current',
    )


def _load_part(checkpoint: str, prefix: str, part: str) -> dict[str, Tensor]:
    module = _PARTS[part]
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise UserError(
            f'{checkpoint}: no such checkpoint\n'
            f'Run pretraining first, set model.{module}.init_cfg.checkpoint to another file, or '
            f'train from scratch with model.{module}.init_cfg=None'
        )
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    state = content.get('state_dict', content)
    if prefix and not prefix.endswith('.'):
        prefix = f'{prefix}.'
    found = {name.removeprefix(prefix): x for name, x in state.items() if name.startswith(prefix)}
    if not found:
        raise UserError(
            f'{checkpoint}: no tensor name starts with {prefix!r}; found '
            f'{", ".join(list(state)[:3])}, ...'
        )
    return found


def require_same_sizes(
    own: dict[str, Tensor], found: dict[str, Tensor], names: Collection[str], checkpoint: str
) -> None:
    """Refuse a checkpoint with a tensor of another size, that of the patches first."""
    for name in sorted(names, key=lambda name: (not name.endswith(_PATCH_KERNEL), name)):
        here, there = tuple(own[name].shape), tuple(found[name].shape)
        if here == there:
            continue
        describe = _patch if len(here) == len(there) == 5 else str
        raise UserError(
            f'{checkpoint}: {name} has {describe(there)}, but the model has {describe(here)}\n'
            'Use the patch_size, tubelet_size, embed_dims and depth that it was trained with'
        )


def _patch(shape: tuple[int, ...]) -> str:
    width, _, frames, height, _ = shape
    return f'patches of {height} pixels and {frames} frames, {width} wide'


def _names(names: set[str]) -> str:
    return ', '.join(sorted(names)) or 'none'
