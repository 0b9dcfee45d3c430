"""What an encoder takes from a checkpoint, told before it is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from echocardmae_mm.errors import EchoError

# Pretraining ends in ``norm``, fine-tuning in ``fc_norm``; positions are computed.
_OF_ONE_STAGE_ONLY = ('norm.weight', 'norm.bias', 'fc_norm.weight', 'fc_norm.bias')
_COMPUTED = 'pos_embed'
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


def report_pretrained(encoder: nn.Module, checkpoint: str, prefix: str = '') -> None:
    """Log which tensors of an encoder a checkpoint fills, and refuse one that does not fit.

    Args:
        encoder (nn.Module): The encoder that is about to load it.
        checkpoint (str): Path or address.
        prefix (str): What stands before the encoder's names there. Defaults to ''.

    Raises:
        EchoError: If there is no such file, or it holds no such encoder or one of another size.
    """
    found = _encoder_in(checkpoint, prefix)
    own = {name: tensor for name, tensor in encoder.state_dict().items() if name != _COMPUTED}
    _require_same_sizes(own, found, checkpoint)
    fresh, unused = own.keys() - found.keys(), found.keys() - own.keys() - {_COMPUTED}
    if strange := sorted((fresh | unused) - set(_OF_ONE_STAGE_ONLY)):
        where = 'the model' if strange[0] in fresh else 'the checkpoint'
        raise EchoError(
            f'{checkpoint}: {len(strange)} tensors are only in {where}, such as {strange[0]}\n'
            'Give the model the depth and width of the pretraining, and the prefix of its encoder'
        )
    print_log(
        f'encoder: {len(own) - len(fresh)} of {len(own)} tensors from {checkpoint}; '
        f'fresh: {_names(fresh)}; unused: {_names(unused)}; {_COMPUTED} is computed',
        'current',
    )


def _encoder_in(checkpoint: str, prefix: str) -> dict[str, Tensor]:
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise EchoError(
            f'{checkpoint}: no such checkpoint to start from\n'
            'Pretrain first, name another one by model.backbone.init_cfg.checkpoint=..., or start '
            'from scratch by model.backbone.init_cfg=None'
        )
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    state = content.get('state_dict', content)
    start = prefix if not prefix or prefix.endswith('.') else f'{prefix}.'
    found = {name[len(start) :]: x for name, x in state.items() if name.startswith(start)}
    if not found:
        raise EchoError(
            f'{checkpoint}: no tensor begins with {prefix!r}; it has {", ".join(list(state)[:3])}'
        )
    return found


def _require_same_sizes(own: dict[str, Tensor], found: dict[str, Tensor], checkpoint: str) -> None:
    for name in sorted(own.keys() & found.keys(), key=lambda name: (name != _PATCH_KERNEL, name)):
        here, there = tuple(own[name].shape), tuple(found[name].shape)
        if here == there:
            continue
        describe = _patch if name == _PATCH_KERNEL else str
        raise EchoError(
            f'{checkpoint}: {name} has {describe(there)}, in the model {describe(here)}\n'
            'Give the model the patch_size, tubelet_size, embed_dims and depth of the pretraining'
        )


def _patch(shape: tuple[int, ...]) -> str:
    width, _, frames, height, _ = shape
    return f'patches of {height} pixels and {frames} frames, {width} wide'


def _names(names: set[str]) -> str:
    return ', '.join(sorted(names)) or 'none'
