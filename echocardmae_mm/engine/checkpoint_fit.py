"""Whether a checkpoint holds the model that is to be tested."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader
from torch import nn

from echocardmae_mm.errors import EchoError

_COMPUTED = 'pos_embed'


def require_fit(model: nn.Module, checkpoint: str) -> None:
    """Refuse to test a checkpoint that leaves a part of the model as it was drawn.

    mmengine loads what fits and goes on. Tables of positions that are computed do not count.

    Args:
        model (nn.Module): The model, in its wrapper or without.
        checkpoint (str): Path or address.

    Raises:
        EchoError: If a tensor of the model is missing in the checkpoint, or of another size.
    """
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    found = content.get('state_dict', content) if isinstance(content, dict) else {}
    found = {name.removeprefix('module.'): tensor for name, tensor in found.items()}
    inner: nn.Module = model.module if is_model_wrapper(model) else model  # type: ignore[assignment]
    own = {
        name: tensor for name, tensor in inner.state_dict().items() if not name.endswith(_COMPUTED)
    }
    if missing := [name for name in own if name not in found]:
        raise EchoError(
            f'{checkpoint}: {len(missing)} of {len(own)} tensors of the model are not in it, such '
            f'as {missing[0]}\nGive the config that it was trained by'
        )
    for name, tensor in own.items():
        if tensor.shape != found[name].shape:
            raise EchoError(
                f'{checkpoint}: {name} has {tuple(found[name].shape)}, in the model '
                f'{tuple(tensor.shape)}\nGive the config that it was trained by: patch_size, '
                'tubelet_size, embed_dims and depth must be the same'
            )
