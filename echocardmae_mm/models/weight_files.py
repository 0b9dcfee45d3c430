"""Read weights of other projects, and write converted ones with a report."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import save_checkpoint
from rich.console import Console
from rich.table import Table
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from echocardmae_mm.compat.unsafe_checkpoints import weights_only
from echocardmae_mm.models.weight_conversion import PATCH_KERNEL, ConvertedWeights
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.atomic_backend import AtomicBackend  # noqa: F401  registers 'atomic'
from echocardmae_mm.utils.errors import UserError

CONTAINERS = ('state_dict', 'model', 'module')


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint without executing any code in it.

    Args:
        path (Path): A ``.safetensors`` file or a file written by ``torch.save``. The latter
            contains a state dict at the top level or under ``state_dict``, ``model`` or
            ``module``, and may contain an :class:`argparse.Namespace`.

    Returns:
        dict[str, Tensor]: The state dict.

    Raises:
        UserError: If the file does not exist, is damaged or contains no state dict.
    """
    if not path.is_file():
        raise UserError(f'{path} does not exist; expected a file of weights')
    if path.suffix == '.safetensors':
        try:
            return load_file(path)
        except SafetensorError as error:
            raise UserError(f'{path}: no safetensors file, or damaged ({error})') from None
    content = weights_only(torch.load, argparse.Namespace)(path, map_location='cpu')
    if isinstance(content, dict) and isinstance(content.get('regressor'), dict):  # CoReEcho
        head = {f'regressor.{name}': x for name, x in content['regressor'].items()}
        content = {**content['model'], **head}
    for name in CONTAINERS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
            break
    tensors = content.items() if isinstance(content, dict) else ()
    state = {name: value for name, value in tensors if isinstance(value, Tensor)}
    if not state:
        raise UserError(
            f'{path} contains no state dict, neither at the top level nor under '
            f'{", ".join(CONTAINERS)}'
        )
    return state


def write_weights(
    weights: ConvertedWeights, path: Path, meta: dict[str, Any], model: nn.Module | None = None
) -> None:
    """Print a report and write a checkpoint for ``load_from`` and ``init_cfg``.

    Args:
        weights (ConvertedWeights): The converted tensors.
        path (Path): The file, written atomically.
        meta (dict[str, Any]): The origin of the weights, stored beside them.
        model (nn.Module, optional): The model of the weights. Defaults to None, an
            :class:`EchoCardMAE` of their dimensions.

    Raises:
        UserError: If no tensor fits or one has an impossible shape.
    """
    model = _model_for(weights) if model is None else model
    Console().print(conversion_table(weights, missing_tensors(weights, model)))
    state = {name: value.contiguous().clone() for name, value in weights.state.items()}
    meta = {**meta, 'changes': weights.changes}
    save_checkpoint(
        {'state_dict': state, 'meta': meta}, str(path), backend_args={'backend': 'atomic'}
    )
    print(f'{path}: {len(state)} tensors')


def missing_tensors(weights: ConvertedWeights, model: nn.Module) -> dict[str, Tensor]:
    """Find the tensors of the model that the weights lack, by loading them.

    Args:
        weights (ConvertedWeights): The converted tensors.
        model (nn.Module): The model of the weights.

    Returns:
        dict[str, Tensor]: Freshly initialised tensors, without computed positions.

    Raises:
        UserError: If a tensor has no counterpart or another shape than in the model.
    """
    expected = {name: x.detach().clone() for name, x in model.state_dict().items()}
    try:
        missing, unexpected = model.load_state_dict(weights.state, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise UserError(f'a tensor has an impossible shape: {reason}') from error
    if unexpected:
        raise UserError(f'{unexpected[0]!r} has no counterpart in {type(model).__name__}')
    return {name: expected[name] for name in missing if not name.endswith('pos_embed')}


def conversion_table(weights: ConvertedWeights, missing: dict[str, Tensor]) -> Table:
    """Tabulate the treatment of each tensor, with one row for all blocks.

    Args:
        weights (ConvertedWeights): The converted tensors.
        missing (dict[str, Tensor]): Tensors of the model that the weights lack.

    Returns:
        Table: Name, shape, number and treatment.
    """
    treatments = [
        *((name, x, weights.changes.get(name, 'loaded')) for name, x in weights.state.items()),
        *((name, x, 'dropped') for name, x in weights.dropped.items()),
        *((name, x, 'left fresh') for name, x in missing.items()),
    ]
    rows = Counter(
        (re.sub(r'blocks\.\d+', 'blocks.*', name), ' x '.join(map(str, x.shape)), treatment)
        for name, x, treatment in treatments
    )
    table = Table('tensor', 'shape', 'number', 'treatment')
    for (name, shape, treatment), number in rows.items():
        table.add_row(name, shape, str(number), treatment)
    return table


def _model_for(weights: ConvertedWeights) -> nn.Module:
    """An :class:`EchoCardMAE` of the dimensions of the weights."""
    state = weights.state
    kernel = state.get(PATCH_KERNEL)
    if kernel is None:
        names = ', '.join(list(weights.dropped)[:3]) or 'nothing'
        raise UserError(
            f'no tensor fits: the file has {names}, ...; expected patch_embed.proj.weight and '
            "blocks.*, with or without the prefix 'encoder.'"
        )
    if kernel.ndim != 5 or kernel.shape[-1] != kernel.shape[-2]:
        raise UserError(
            f'the patch embedding has the impossible shape {tuple(kernel.shape)}; expected '
            '(width, 3, frames, patch, patch)'
        )
    width, channels, frames, patch, _ = kernel.shape
    size = dict(img_size=patch, patch_size=patch, num_frames=frames, tubelet_size=frames)
    decoder = state.get('neck.encoder_to_decoder.weight')
    return MODELS.build(
        dict(
            type='echocardmae_mm.EchoCardMAE',
            **size,
            backbone=dict(
                type='echocardmae_mm.MaskedVisionTransformer',
                in_channels=channels,
                init_values=float('backbone.blocks.0.gamma_1' in state),
                **_depth_and_width(state, 'backbone', width),
            ),
            neck=dict(
                type='echocardmae_mm.BackgroundTokenDecoder',
                **({} if decoder is None else _depth_and_width(state, 'neck', len(decoder))),
            ),
            reconstruction_head=dict(type='echocardmae_mm.ReconstructionHead'),
        )
    )


def _depth_and_width(state: dict[str, Tensor], part: str, width: int) -> dict[str, Any]:
    hidden = state.get(f'{part}.blocks.0.mlp.layers.0.0.weight')
    depth = len({name.split('.')[2] for name in state if name.startswith(f'{part}.blocks.')})
    # No shape depends on the number of heads.
    mlp_ratio = 4.0 if hidden is None else len(hidden) / width
    return dict(embed_dims=width, depth=depth, num_heads=1, mlp_ratio=mlp_ratio)
