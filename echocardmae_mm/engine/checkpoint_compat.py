"""Whether a checkpoint holds the model that is to be tested, or to be trained on."""

from __future__ import annotations

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from echocardmae_mm.utils.errors import UserError

_COMPUTED = 'pos_embed'

Tensors = dict[str, Tensor]


def require_fit(model: nn.Module, checkpoint: str) -> None:
    """Refuse to test a checkpoint that leaves a part of the model as it was drawn.

    mmengine loads what fits and goes on. Tables of positions that are computed do not count.

    Args:
        model (nn.Module): The model, in its wrapper or without.
        checkpoint (str): Path or address.

    Raises:
        UserError: If a tensor of the model is missing in the checkpoint, or of another size.
    """
    own, found = _tensors(model, checkpoint)
    if missing := [name for name in own if name not in found]:
        raise UserError(
            f'{checkpoint}: {len(missing)} of {len(own)} tensors of the model are not in it, such '
            f'as {missing[0]}\nGive the config that it was trained by'
        )
    _require_same_sizes(own, found, checkpoint)


def require_start(model: nn.Module, checkpoint: str) -> None:
    """Refuse to train on from a checkpoint (``load_from``) that gives the model nothing.

    mmengine loads what fits and goes on. What stays fresh is logged.

    Args:
        model (nn.Module): The model, in its wrapper or without.
        checkpoint (str): Path or address.

    Raises:
        UserError: If no tensor of the model is in the checkpoint, or one is there of another size.
    """
    own, found = _tensors(model, checkpoint)
    taken = own.keys() & found.keys()
    if not taken:
        raise UserError(
            f'{checkpoint}: none of the {len(own)} tensors of the model is in it\n'
            'Parts of another model are taken by init_cfg of the part, weights of other programs '
            'after tools/model_converters'
        )
    _require_same_sizes({name: own[name] for name in taken}, found, checkpoint)
    fresh = sorted(own.keys() - taken)
    print_log(
        f'{len(taken)} of {len(own)} tensors from {checkpoint}; fresh: '
        + (', '.join(fresh[:8]) or 'none')
        + (f' and {len(fresh) - 8} more' if len(fresh) > 8 else ''),
        'current',
    )


def _tensors(model: nn.Module, checkpoint: str) -> tuple[Tensors, Tensors]:
    """What the model has and does not compute, and what the checkpoint has."""
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    found = content.get('state_dict', content) if isinstance(content, dict) else {}
    inner: nn.Module = model.module if is_model_wrapper(model) else model  # type: ignore[assignment]
    own = {
        name: tensor for name, tensor in inner.state_dict().items() if not name.endswith(_COMPUTED)
    }
    return own, {name.removeprefix('module.'): tensor for name, tensor in found.items()}


def _require_same_sizes(own: Tensors, found: Tensors, checkpoint: str) -> None:
    for name, tensor in own.items():
        if tensor.shape != found[name].shape:
            raise UserError(
                f'{checkpoint}: {name} has {tuple(found[name].shape)}, in the model '
                f'{tuple(tensor.shape)}\nGive the config that it was trained by: patch_size, '
                'tubelet_size, embed_dims and depth must be the same'
            )
