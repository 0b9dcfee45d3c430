"""Convert weights of VideoMAE, timm and the released EchoCardMAE code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from echocardmae_mm.utils.errors import UserError

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
