"""What a part of a model takes from a checkpoint, told before it is loaded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from echocardmae_mm.utils.errors import UserError

#: An encoder ends in ``norm`` in pretraining, and in ``fc_norm`` where its tokens are averaged.
ENDS_OF_A_STAGE = ('norm.weight', 'norm.bias', 'fc_norm.weight', 'fc_norm.bias')
_COMPUTED = 'pos_embed'
_PLACES = {'encoder': 'backbone', 'decoder': 'decode_head'}
_PATCH_KERNEL = 'patch_embed.projection.weight'


def pretrained_cfg(init_cfg: dict | list[dict] | None) -> dict[str, Any] | None:
    """The entry of an ``init_cfg`` that names a checkpoint.

    Args:
        init_cfg (dict | list[dict], optional): As mmengine's ``BaseModule`` takes it.

    Returns:
        dict, optional: None where there is none.
    """
    entries = [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []
    return next((entry for entry in entries if entry['type'] == 'Pretrained'), None)


def report_pretrained(
    module: nn.Module,
    checkpoint: str,
    prefix: str = '',
    part: str = 'encoder',
    may_be_fresh: Collection[str] = ENDS_OF_A_STAGE,
    may_be_unused: Collection[str] = ENDS_OF_A_STAGE,
    left_fresh: Collection[str] = (),
) -> None:
    """Log which tensors of a module a checkpoint fills, and refuse one that does not fit.

    Args:
        module (nn.Module): The encoder, or another part, that is about to load it.
        checkpoint (str): Path or address.
        prefix (str): What stands before the part's names there. Defaults to ''.
        part (str): 'encoder' or 'decoder'. Defaults to 'encoder'.
        may_be_fresh (Collection[str]): Tensors that need not come from the checkpoint. Defaults to
            the encoder's last norms.
        may_be_unused (Collection[str]): Tensors of the checkpoint that need not be taken. Defaults
            to the same.
        left_fresh (Collection[str]): Tensors that are both, on purpose. Defaults to ().

    Raises:
        UserError: If there is no such file, or it holds no such part or one of another size.
    """
    found = _part_in(checkpoint, prefix, part)
    own = {name: tensor for name, tensor in module.state_dict().items() if name != _COMPUTED}
    taken = own.keys() & found.keys() - set(left_fresh)
    _require_same_sizes(own, found, taken, checkpoint)
    fresh, unused = own.keys() - taken, found.keys() - taken - {_COMPUTED}
    strange = sorted(fresh - set(may_be_fresh) - set(left_fresh))
    strange += sorted(unused - set(may_be_unused) - set(left_fresh))
    if strange:
        where = 'the model' if strange[0] in fresh else 'the checkpoint'
        raise UserError(
            f'{checkpoint}: {len(strange)} tensors are only in {where}, such as {strange[0]}\n'
            f'Give the model the depth and width of the pretraining, and the prefix of its {part}'
        )
    print_log(
        f'{part}: {len(taken)} of {len(own)} tensors from {checkpoint}; '
        f'fresh: {_names(fresh)}; unused: {_names(unused)}; {_COMPUTED} is computed',
        'current',
    )


def _part_in(checkpoint: str, prefix: str, part: str) -> dict[str, Tensor]:
    place = _PLACES[part]
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise UserError(
            f'{checkpoint}: no such checkpoint to start from\n'
            f'Pretrain first, name another one by model.{place}.init_cfg.checkpoint=..., or start '
            f'from scratch by model.{place}.init_cfg=None'
        )
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    if not isinstance(content, dict):
        raise UserError(f'{checkpoint}: holds a {type(content).__name__}, not a state_dict')
    state = content.get('state_dict', content)
    start = prefix if not prefix or prefix.endswith('.') else f'{prefix}.'
    found = {name[len(start) :]: x for name, x in state.items() if name.startswith(start)}
    if not found:
        raise UserError(
            f'{checkpoint}: no tensor begins with {prefix!r}; it has {", ".join(list(state)[:3])}'
        )
    return found


def _require_same_sizes(
    own: dict[str, Tensor], found: dict[str, Tensor], names: Collection[str], checkpoint: str
) -> None:
    for name in sorted(names, key=lambda name: (name != _PATCH_KERNEL, name)):
        here, there = tuple(own[name].shape), tuple(found[name].shape)
        if here == there:
            continue
        describe = _patch if len(here) == len(there) == 5 else str
        raise UserError(
            f'{checkpoint}: {name} has {describe(there)}, in the model {describe(here)}\n'
            'Give the model the patch_size, tubelet_size, embed_dims and depth of the pretraining'
        )


def _patch(shape: tuple[int, ...]) -> str:
    width, _, frames, height, _ = shape
    return f'patches of {height} pixels and {frames} frames, {width} wide'


def _names(names: set[str]) -> str:
    return ', '.join(sorted(names)) or 'none'
