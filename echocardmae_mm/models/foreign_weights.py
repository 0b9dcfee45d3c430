"""Weights of other code under this package's names."""

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
class ForeignWeights:
    """A foreign state dict under this package's names.

    Attributes:
        state (dict[str, Tensor]): Tensors by the names that they have in :class:`EchoCardMAE`.
        changes (dict[str, str]): What was done to a tensor that is not as it was, by its new name.
        dropped (dict[str, Tensor]): Tensors that have no place, by their old name.
    """

    state: dict[str, Tensor] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, Tensor] = field(default_factory=dict)


def rename(state: dict[str, Tensor]) -> ForeignWeights:
    """Give tensors their names in :class:`EchoCardMAE`; those that have none are dropped.

    Args:
        state (dict[str, Tensor]): A state dict of VideoMAE, of timm's VisionTransformer or of the
            released EchoCardMAE code; a pretraining model or an encoder.

    Returns:
        ForeignWeights: The same tensors.
    """
    weights = ForeignWeights()
    for old, tensor in state.items():
        new = old
        for pattern, name in RENAMES:
            new = re.sub(pattern, name, new)
        if OURS.match(new):
            weights.state[new] = tensor
        else:
            weights.dropped[old] = tensor
    return weights


def from_videomae(state: dict[str, Tensor], patch_size: int | None = None) -> ForeignWeights:
    """Weights of VideoMAE, pretrained (with decoder) or fine-tuned (encoder only).

    Args:
        state (dict[str, Tensor]): VideoMAE's state dict.
        patch_size (int, optional): Patch size of the model to be. The patch embedding is resized
            trilinearly, as the released EchoCardMAE code does, and the decoder's head dropped.
            Defaults to None, VideoMAE's own.

    Returns:
        ForeignWeights: Weights for :class:`EchoCardMAE`.

    Raises:
        UserError: If the patch size is below 1, or the weights are an image model's.
    """
    if patch_size is not None and patch_size < 1:
        raise UserError(f'a patch size of {patch_size}: it must be at least 1')
    weights = rename(state)
    kernel = weights.state.get(PATCH_KERNEL)
    if kernel is not None:
        _require_dimensions(kernel, 5, "an image model's are converted by convert_timm.py")
    if kernel is not None and patch_size not in (None, kernel.shape[-1]):
        size = (kernel.shape[2], patch_size, patch_size)
        weights.state[PATCH_KERNEL] = F.interpolate(kernel.float(), size, mode='trilinear')
        weights.changes[PATCH_KERNEL] = f'resized from patch {kernel.shape[-1]} to {patch_size}'
        for name in ('weight', 'bias'):
            if (head := weights.state.pop(f'neck.head.{name}', None)) is not None:
                weights.dropped[f'decoder.head.{name}'] = head
    return weights


def from_echocardmae(state: dict[str, Tensor]) -> ForeignWeights:
    """Weights of the authors' released code, any version.

    The released attention holds ``q_bias`` and ``v_bias`` and never applies them; here they are
    zero, so that classes that do apply them give the released features.

    Args:
        state (dict[str, Tensor]): The released state dict.

    Returns:
        ForeignWeights: Weights for :class:`EchoCardMAE` with ``attn_bias=False``, still for BGR.
    """
    weights = rename(state)
    for name in weights.state:
        if name.endswith(('attn.q_bias', 'attn.v_bias')):
            weights.state[name] = torch.zeros_like(weights.state[name])
            weights.changes[name] = 'set to zero: never applied by the released code'
    return weights


def bgr_to_rgb(weights: ForeignWeights) -> ForeignWeights:
    """Let a model that was trained on BGR frames see, and predict, RGB.

    Args:
        weights (ForeignWeights): Changed in place: the input channels of the patch embedding and
            the output channels of the decoder's head.

    Returns:
        ForeignWeights: The same object.
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
    """Make an image's patch embedding a video's.

    Args:
        kernel (Tensor): (D, C, p, p).
        tubelet_size (int): Frames of a token.

    Returns:
        Tensor: (D, C, tubelet_size, p, p); on a video that stands still it gives what ``kernel``
        gives on one frame.
    """
    return kernel.unsqueeze(2).repeat(1, 1, tubelet_size, 1, 1) / tubelet_size


def from_timm(state: dict[str, Tensor], tubelet_size: int = 2) -> ForeignWeights:
    """Weights of a plain image transformer of timm, inflated over time.

    Class token and positions are dropped: the model has its own positions. So is the bias of the
    keys, which changes nothing: it adds the same number to all that a query compares.

    Args:
        state (dict[str, Tensor]): State dict of ``timm.models.VisionTransformer``.
        tubelet_size (int): Frames of a token. Defaults to 2.

    Returns:
        ForeignWeights: Weights for the encoder of :class:`EchoCardMAE`.

    Raises:
        UserError: If the transformer has parts that the encoder lacks, if its weights are a video
            model's, or if a token is to have no frames.
    """
    if tubelet_size < 1:
        raise UserError(f'tokens of {tubelet_size} frames: they must have at least 1')
    weights = rename(state)
    if strange := [name for name in weights.dropped if not TIMM_PREFIX_AND_HEAD.match(name)]:
        raise UserError(
            f'{strange[0]!r} has no counterpart in mmaction.VisionTransformer; plain transformers '
            'such as vit_small_patch16_224 can be converted'
        )
    if (kernel := weights.state.get(PATCH_KERNEL)) is not None:
        _require_dimensions(kernel, 4, "VideoMAE's are converted by convert_videomae.py")
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
            f'the patch embedding is of shape {shape}, not {expected}-dimensional: {advice}'
        )
