"""Convert weights of VideoMAE, timm and the released EchoCardMAE code."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.runner import save_checkpoint
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file
from torch import Tensor, nn

from echocardmae_mm.compat.unsafe_checkpoints import weights_only
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.atomic_backend import AtomicBackend  # noqa: F401  registers 'atomic'
from echocardmae_mm.utils.errors import UserError

CONTAINERS = ('state_dict', 'model', 'module')
PATCH_KERNEL = 'backbone.patch_embed.projection.weight'
RENAMES = (
    (r'^(module|model)\.', ''),
    (r'^encoder\.', 'backbone.'),
    (r'^decoder\.', 'neck.'),
    (r'^(encoder_to_decoder\.|mask_token$)', r'neck.\1'),
    (r'^(bg_mask_token|background_token)$', 'neck.background_token'),
    (r'^(patch_embed|blocks|norm)\.', r'backbone.\1.'),
    (r'patch_embed\.proj\.', 'patch_embed.projection.'),
    (r'mlp\.fc1\.', 'mlp.layers.0.0.'),
    (r'mlp\.fc2\.', 'mlp.layers.1.'),
    (r'\.ls([12])\.gamma$', r'.gamma_\1'),
)
OURS = re.compile(
    r'^(backbone\.(patch_embed|blocks|norm)\.'
    r'|neck\.(encoder_to_decoder|mask_token|background_token|blocks|norm|head)\b)'
)

TIMM_PREFIX_AND_HEAD = re.compile(
    r'^(cls_token|dist_token|reg_token|pos_embed|fc_norm\.|head\.|head_dist\.|pre_logits\.)'
)


@dataclass
class ConvertedWeights:
    """A state dict under the names of :class:`EchoCardMAE`.

    Attributes:
        state (dict[str, Tensor]): Tensors by their names in :class:`EchoCardMAE`.
        changes (dict[str, str]): Description of each change, by the tensor's new name.
        dropped (dict[str, Tensor]): Tensors without a counterpart, by their old name.
    """

    state: dict[str, Tensor] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, Tensor] = field(default_factory=dict)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint without executing any code in it.

    Args:
        path (Path): A ``.safetensors`` file or a file written by ``torch.save``. The latter
            contains a state dict at the top level or under ``state_dict``, ``model`` or
            ``module``, and may contain an :class:`argparse.Namespace`.

    Returns:
        dict[str, Tensor]: The state dict.

    Raises:
        UserError: If the file does not exist or contains no state dict.
    """
    if not path.is_file():
        raise UserError(f'{path} does not exist; expected a file of weights')
    if path.suffix == '.safetensors':
        return load_file(path)
    with _allowed(argparse.Namespace):
        content = weights_only(torch.load)(path, map_location='cpu')
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


def rename(state: dict[str, Tensor]) -> ConvertedWeights:
    """Give tensors their names in :class:`EchoCardMAE`; drop those without a counterpart.

    Args:
        state (dict[str, Tensor]): State dict of a pretraining model or an encoder, from VideoMAE,
            timm's VisionTransformer or the released EchoCardMAE code.

    Returns:
        ConvertedWeights: The tensors, unchanged.
    """
    weights = ConvertedWeights()
    for old, tensor in state.items():
        new = old
        for pattern, name in RENAMES:
            new = re.sub(pattern, name, new)
        if OURS.match(new):
            weights.state[new] = tensor
        else:
            weights.dropped[old] = tensor
    return weights


def from_videomae(state: dict[str, Tensor], patch_size: int | None = None) -> ConvertedWeights:
    """Convert weights of VideoMAE, pretrained (with decoder) or fine-tuned (encoder only).

    Args:
        state (dict[str, Tensor]): VideoMAE's state dict.
        patch_size (int, optional): Patch size of the new model. If it differs, the patch embedding
            is resized trilinearly, as in the released EchoCardMAE code, and the decoder's head is
            dropped. Defaults to None, VideoMAE's own.

    Returns:
        ConvertedWeights: Weights for :class:`EchoCardMAE`.

    Raises:
        UserError: If ``patch_size`` is below 1 or the weights belong to an image model.
    """
    if patch_size is not None and patch_size < 1:
        raise UserError(f'patch_size={patch_size} must be at least 1')
    weights = rename(state)
    kernel = weights.state.get(PATCH_KERNEL)
    if kernel is not None:
        _require_dimensions(kernel, 5, 'convert image models with `echocardmae convert timm`')
    if kernel is not None and patch_size not in (None, kernel.shape[-1]):
        size = (kernel.shape[2], patch_size, patch_size)
        weights.state[PATCH_KERNEL] = F.interpolate(kernel.float(), size, mode='trilinear')
        weights.changes[PATCH_KERNEL] = f'resized from patch {kernel.shape[-1]} to {patch_size}'
        for name in ('weight', 'bias'):
            if (head := weights.state.pop(f'neck.head.{name}', None)) is not None:
                weights.dropped[f'decoder.head.{name}'] = head
    return weights


def from_echocardmae(state: dict[str, Tensor]) -> ConvertedWeights:
    """Convert weights of any version of the released EchoCardMAE code.

    The released attention has ``q_bias`` and ``v_bias`` but never applies them. They are set to
    zero here, so attention with biases reproduces the released features.

    Args:
        state (dict[str, Tensor]): The released state dict.

    Returns:
        ConvertedWeights: Weights for :class:`EchoCardMAE` with ``attn_bias=False``, still for BGR
        frames.
    """
    weights = rename(state)
    for name in weights.state:
        if name.endswith(('attn.q_bias', 'attn.v_bias')):
            weights.state[name] = torch.zeros_like(weights.state[name])
            weights.changes[name] = 'set to zero: never applied by the released code'
    return weights


def bgr_to_rgb(weights: ConvertedWeights) -> ConvertedWeights:
    """Make a model that was trained on BGR frames expect and predict RGB.

    Args:
        weights (ConvertedWeights): Changed in place: the input channels of the patch embedding and
            the output channels of the decoder's head.

    Returns:
        ConvertedWeights: The same object.
    """
    if PATCH_KERNEL in weights.state:
        weights.state[PATCH_KERNEL] = weights.state[PATCH_KERNEL].flip(1)
        weights.changes[PATCH_KERNEL] = 'channels flipped from BGR to RGB'
    for name in ('neck.head.weight', 'neck.head.bias'):
        if name in weights.state:
            pixels = weights.state[name].unflatten(0, (-1, 3))
            weights.state[name] = pixels.flip(1).flatten(0, 1)
            weights.changes[name] = 'channels flipped from BGR to RGB'
    return weights


def inflate(kernel: Tensor, tubelet_size: int) -> Tensor:
    """Inflate the patch embedding of an image model over time.

    Args:
        kernel (Tensor): (D, C, p, p).
        tubelet_size (int): Frames per token.

    Returns:
        Tensor: (D, C, tubelet_size, p, p); its output on a still clip equals the output of
        ``kernel`` on one frame.
    """
    return kernel.unsqueeze(2).repeat(1, 1, tubelet_size, 1, 1) / tubelet_size


def from_timm(state: dict[str, Tensor], tubelet_size: int = 2) -> ConvertedWeights:
    """Convert weights of a plain image transformer of timm, inflated over time.

    Class token and position embeddings are dropped, because the model computes its own positions.
    The bias of the keys is dropped, because it adds the same number to all scores of a query, which
    softmax cancels.

    Args:
        state (dict[str, Tensor]): State dict of ``timm.models.VisionTransformer``.
        tubelet_size (int): Frames per token. Defaults to 2.

    Returns:
        ConvertedWeights: Weights for the encoder of :class:`EchoCardMAE`.

    Raises:
        UserError: If the transformer has parts that the encoder lacks, the weights belong to a
            video model, or ``tubelet_size`` is below 1.
    """
    if tubelet_size < 1:
        raise UserError(f'tubelet_size={tubelet_size} must be at least 1')
    weights = rename(state)
    if unknown := [name for name in weights.dropped if not TIMM_PREFIX_AND_HEAD.match(name)]:
        raise UserError(
            f'{unknown[0]!r} has no counterpart in mmaction.VisionTransformer; only plain '
            'transformers such as vit_small_patch16_224 can be converted'
        )
    if (kernel := weights.state.get(PATCH_KERNEL)) is not None:
        _require_dimensions(kernel, 4, 'convert VideoMAE with `echocardmae convert videomae`')
        weights.state[PATCH_KERNEL] = inflate(kernel, tubelet_size)
        weights.changes[PATCH_KERNEL] = f'inflated over {tubelet_size} frames'
    for name in [name for name in weights.state if name.endswith('attn.qkv.bias')]:
        q_bias, k_bias, v_bias = weights.state.pop(name).chunk(3)
        attention = name.removesuffix('qkv.bias')
        weights.state[f'{attention}q_bias'] = q_bias
        weights.state[f'{attention}v_bias'] = v_bias
        weights.dropped[f'{attention.removeprefix("backbone.")}k_bias'] = k_bias
    return weights


def _require_dimensions(kernel: Tensor, expected: int, advice: str) -> None:
    if kernel.ndim != expected:
        shape = tuple(kernel.shape)
        raise UserError(
            f'the patch embedding has shape {shape}, expected {expected} dimensions: {advice}'
        )


def check_target(path: Path, force: bool) -> None:
    """Refuse to overwrite a file.

    Args:
        path (Path): The file to write.
        force (bool): Whether to overwrite it.

    Raises:
        UserError: If it exists and ``force`` is false.
    """
    if path.exists() and not force:
        raise UserError(f'{path} exists; remove it, choose another name or add --force')


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


@contextmanager
def _allowed(*types: type) -> Iterator[None]:
    before = list(torch.serialization.get_safe_globals())  # torch 2.4 returns the list itself.
    torch.serialization.add_safe_globals(list(types))
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)
