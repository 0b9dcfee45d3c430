"""Clips to patches and back.

Tokens are ordered t, h, w; a patch is laid out (p_t, p_h, p_w, channel).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from echocardmae_mm.utils.errors import UserError


def patchify(clips: Tensor, patch_size: int, tubelet_size: int) -> Tensor:
    """Cut clips into the patches that are the encoder's tokens.

    Args:
        clips (Tensor): Clips of shape (B, C, T, H, W); ``tubelet_size`` divides T, ``patch_size``
            divides H and W.
        patch_size (int): Side of a patch in pixels.
        tubelet_size (int): Frames of a patch.

    Returns:
        Tensor: (B, N, tubelet_size * patch_size ** 2 * C).
    """
    return rearrange(
        clips,
        'b c (t pt) (h ph) (w pw) -> b (t h w) (pt ph pw c)',
        pt=tubelet_size,
        ph=patch_size,
        pw=patch_size,
    )


def unpatchify(
    patches: Tensor, patch_size: int, tubelet_size: int, frame_size: tuple[int, int]
) -> Tensor:
    """Put patches together again, the inverse of :func:`patchify`.

    Args:
        patches (Tensor): (B, N, tubelet_size * patch_size ** 2 * C).
        patch_size (int): Side of a patch in pixels.
        tubelet_size (int): Frames of a patch.
        frame_size (tuple[int, int]): H and W of the clips.

    Returns:
        Tensor: Clips of shape (B, C, T, H, W).
    """
    height, width = frame_size
    return rearrange(
        patches,
        'b (t h w) (pt ph pw c) -> b c (t pt) (h ph) (w pw)',
        pt=tubelet_size,
        ph=patch_size,
        pw=patch_size,
        h=height // patch_size,
        w=width // patch_size,
    )


def take_patches(clips: Tensor, ids: Tensor, patch_size: int, tubelet_size: int) -> Tensor:
    """Cut out some patches of each clip.

    Args:
        clips (Tensor): Clips of shape (B, C, T, H, W), as :func:`patchify` takes them.
        ids (Tensor): Indices of the tokens, int64 of shape (B, K).
        patch_size (int): Side of a patch in pixels.
        tubelet_size (int): Frames of a patch.

    Returns:
        Tensor: (B, K, tubelet_size * patch_size ** 2 * C).
    """
    patches = patchify(clips, patch_size, tubelet_size)
    first = torch.arange(len(clips), device=clips.device).unsqueeze(1) * patches.shape[1]
    chosen = patches.flatten(0, 1).index_select(0, (ids + first).flatten())
    return chosen.unflatten(0, tuple(ids.shape))


def require_tokens(clips: Tensor, num_tokens: int, patch_size: int, tubelet_size: int) -> None:
    """Refuse clips that a model is not made for.

    Args:
        clips (Tensor): (B, C, T, H, W).
        num_tokens (int): Tokens of a clip that the model has positions for.
        patch_size (int): Side of a patch in pixels.
        tubelet_size (int): Frames of a patch.

    Raises:
        UserError: If the clips have another number of tokens.
    """
    found = clips[0, 0].numel() // (tubelet_size * patch_size**2)
    if found != num_tokens:
        raise UserError(
            f'clips of {tuple(clips.shape[2:])} (frames, height, width) have {found} tokens, the '
            f'model is made for {num_tokens}: let num_frames and img_size of the model agree with '
            'the pipeline'
        )


def embed_patches(patches: Tensor, convolution: nn.Conv3d) -> Tensor:
    """Apply a patch embedding to patches: it does not overlap, so it is a linear map of each.

    Args:
        patches (Tensor): (B, K, D), any choice of what :func:`patchify` returns.
        convolution (nn.Conv3d): The patch embedding, its kernel as large as its stride.

    Returns:
        Tensor: (B, K, C), as the convolution of the whole clip gives there.
    """
    weight = rearrange(convolution.weight, 'd c pt ph pw -> d (pt ph pw c)')
    return F.linear(patches, weight, convolution.bias)
