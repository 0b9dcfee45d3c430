"""Converting files of weights: read, hold against the model, report, write."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import save_checkpoint
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file
from torch import Tensor

from echocardmae_mm.compat.unsafe_checkpoints import weights_only
from echocardmae_mm.models.foreign_weights import PATCH_KERNEL, ForeignWeights
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.atomic_backend import AtomicBackend  # noqa: F401  registers it
from echocardmae_mm.utils.errors import UserError

CONTAINERS = ('state_dict', 'model', 'module')


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; nothing else in the file is executed.

    Args:
        path (Path): A ``.safetensors`` file, or one of ``torch.save``: a state dict, or one under
            ``state_dict``, ``model`` or ``module``. It may also hold the command line of its
            training (:class:`argparse.Namespace`).

    Returns:
        dict[str, Tensor]: The state dict.

    Raises:
        UserError: If there is no such file, or it holds something else.
    """
    if not path.is_file():
        raise UserError(f'{path} does not exist; name the file that holds the weights')
    if path.suffix == '.safetensors':
        return load_file(path)
    with _allowed(argparse.Namespace):
        content = weights_only(torch.load)(path, map_location='cpu')
    for name in CONTAINERS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
            break
    tensors = content.items() if isinstance(content, dict) else ()
    state = {name: value for name, value in tensors if isinstance(value, Tensor)}
    if not state:
        raise UserError(
            f'{path} holds no state dict, neither by itself nor under {", ".join(CONTAINERS)}'
        )
    return state


def check_target(path: Path, force: bool) -> None:
    """Refuse to overwrite, before any work is done.

    Args:
        path (Path): The file to be written.
        force (bool): Whether it may be overwritten.

    Raises:
        UserError: If it exists and may not.
    """
    if path.exists() and not force:
        raise UserError(f'{path} exists; remove it, choose another name or add --force')


def write_weights(weights: ForeignWeights, path: Path, meta: dict[str, Any]) -> None:
    """Report what was converted and write it for ``load_from`` and ``init_cfg``.

    Args:
        weights (ForeignWeights): The converted tensors.
        path (Path): The file; it is whole or not there.
        meta (dict[str, Any]): Where the weights come from, stored beside them.

    Raises:
        UserError: If nothing fits, or a tensor has an impossible shape.
    """
    fresh = fresh_tensors(weights)
    Console().print(report(weights, fresh))
    state = {name: value.contiguous().clone() for name, value in weights.state.items()}
    meta = {**meta, 'changes': weights.changes}
    save_checkpoint(
        {'state_dict': state, 'meta': meta}, str(path), backend_args={'backend': 'atomic'}
    )
    print(f'{path}: {len(state)} tensors')


def fresh_tensors(weights: ForeignWeights) -> dict[str, Tensor]:
    """Load the weights into a model of their own dimensions and tell what they leave fresh.

    Args:
        weights (ForeignWeights): The converted tensors.

    Returns:
        dict[str, Tensor]: Tensors of :class:`EchoCardMAE` that the weights do not hold; its
        positions are computed and do not count.

    Raises:
        UserError: If nothing fits, or a tensor has an impossible shape.
    """
    kernel = weights.state.get(PATCH_KERNEL)
    if kernel is None:
        names = ', '.join(list(weights.dropped)[:3]) or 'nothing'
        raise UserError(
            f'no tensor fits: the file has {names}, ...; expected patch_embed.proj.weight and '
            'blocks.*, with or without encoder. before them'
        )
    if kernel.ndim != 5 or kernel.shape[-1] != kernel.shape[-2]:
        raise UserError(
            f'the patch embedding has the impossible shape {tuple(kernel.shape)}; expected '
            '(width, 3, frames, patch, patch)'
        )
    model = _model_for(weights.state)
    try:
        missing, unexpected = model.load_state_dict(weights.state, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise UserError(f'a tensor has an impossible shape: {reason}') from error
    if unexpected:
        raise UserError(f'{unexpected[0]!r} has no counterpart in EchoCardMAE')
    expected = model.state_dict()
    return {name: expected[name] for name in missing if not name.endswith('pos_embed')}


def report(weights: ForeignWeights, fresh: dict[str, Tensor]) -> Table:
    """What became of each tensor; equal ones of all blocks share a row.

    Args:
        weights (ForeignWeights): The converted tensors.
        fresh (dict[str, Tensor]): Those of the model that stay fresh.

    Returns:
        Table: Name, shape, number and fate.
    """
    fates = [
        *((name, x, weights.changes.get(name, 'loaded')) for name, x in weights.state.items()),
        *((name, x, 'dropped') for name, x in weights.dropped.items()),
        *((name, x, 'left fresh') for name, x in fresh.items()),
    ]
    rows = Counter(
        (re.sub(r'blocks\.\d+', 'blocks.*', name), ' x '.join(map(str, x.shape)), fate)
        for name, x, fate in fates
    )
    table = Table('tensor', 'shape', 'number', 'fate')
    for (name, shape, fate), number in rows.items():
        table.add_row(name, shape, str(number), fate)
    return table


def _model_for(state: dict[str, Tensor]) -> torch.nn.Module:
    width, channels, frames, patch, _ = state[PATCH_KERNEL].shape
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
    # The number of heads shapes no tensor.
    mlp_ratio = 4.0 if hidden is None else len(hidden) / width
    return dict(embed_dims=width, depth=depth, num_heads=1, mlp_ratio=mlp_ratio)


@contextmanager
def _allowed(*types: type) -> Iterator[None]:
    before = list(torch.serialization.get_safe_globals())  # On torch 2.4 the list itself.
    torch.serialization.add_safe_globals(list(types))
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
