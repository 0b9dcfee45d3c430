"""Check that a checkpoint fits a model; mmengine silently loads only the tensors that fit."""

from __future__ import annotations

from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn
from torch.utils.data import Dataset

from echocardmae_mm.engine.unwrap import unwrap_model
from echocardmae_mm.models import FusedVisionTransformer
from echocardmae_mm.models.checkpoint_report import require_same_sizes
from echocardmae_mm.utils.errors import UserError

_COMPUTED = 'pos_embed'

Tensors = dict[str, Tensor]


def require_fit(model: nn.Module, checkpoint: str) -> None:
    """Refuse to test a checkpoint that lacks a tensor of the model or has one of another size.

    mmengine would leave a part of the model at its random initialisation. Position embeddings may
    be missing, because they are computed.
    """
    own, found = _tensors(model, checkpoint)
    if missing := [name for name in own if name not in found]:
        raise UserError(
            f'{checkpoint}: lacks {len(missing)} of {len(own)} tensors of the model, such as '
            f'{missing[0]}\nUse the config that the checkpoint was trained with'
        )
    require_same_sizes(own, found, own, checkpoint)


def require_start(model: nn.Module, checkpoint: str) -> None:
    """Refuse to start training from a checkpoint (``load_from``) of another model.

    That is one which has no tensor of the model, or a tensor of another size. Logs which tensors
    keep their random initialisation.
    """
    own, found = _tensors(model, checkpoint)
    taken = own.keys() & found.keys()
    if not taken:
        raise UserError(
            f'{checkpoint}: contains none of the {len(own)} tensors of the model\n'
            'To load a part of another model, set init_cfg of that part; convert weights of other '
            'codebases first'
        )
    require_same_sizes(own, found, taken, checkpoint)
    fresh = sorted(own.keys() - taken)
    print_log(
        f'{len(taken)} of {len(own)} tensors from {checkpoint}; fresh: '
        + (', '.join(fresh[:8]) or 'none')
        + (f' and {len(fresh) - 8} more' if len(fresh) > 8 else ''),
        'current',
    )


def require_same_classes(checkpoint: str, dataset: Dataset) -> None:
    """Refuse to test on other classes than those of the training set, if both are named."""
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    meta = (content.get('meta') or {}).get('dataset_meta') or {}
    trained = meta.get('classes')
    tested = getattr(dataset, 'metainfo', {}).get('classes')
    if trained and tested and [*trained] != [*tested]:
        raise UserError(
            f'{checkpoint}: was trained on the classes {", ".join(trained)}, but the test set has '
            f'{", ".join(tested)}\n'
            f'For a table of recordings, pass --cfg-options classes=[{",".join(trained)}]'
        )


def _tensors(model: nn.Module, checkpoint: str) -> tuple[Tensors, Tensors]:
    """Tensors of the model that are not computed, and tensors of the checkpoint."""
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    found = content.get('state_dict', content)
    found = {name.removeprefix('module.'): tensor for name, tensor in found.items()}
    unwrapped = unwrap_model(model)
    for name, part in unwrapped.named_modules():
        if isinstance(part, FusedVisionTransformer):
            part.adapt(found, f'{name}.' if name else '')
    state = unwrapped.state_dict()
    own = {name: tensor for name, tensor in state.items() if not name.endswith(_COMPUTED)}
    return own, found
