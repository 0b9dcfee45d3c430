"""Convert clips to patches and back.

Tokens are in the order t, h, w; the pixels of a patch in the order p_t, p_h, p_w, channel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

#: Older releases of torch cannot tell.
HAS_AMX = hasattr(torch.cpu, 'get_capabilities') and bool(
    torch.cpu.get_capabilities().get('amx_bf16')
)


def patchify(clips: Tensor, patch_size: int, tubelet_size: int) -> Tensor:
    """Cut clips into patches, one per token.

    Args:
        clips (Tensor): Clips of shape (B, C, T, H, W); ``tubelet_size`` divides T, ``patch_size``
            divides H and W.
        patch_size (int): Height and width of a patch in pixels.
        tubelet_size (int): Frames per patch.

    Returns:
        Tensor: (B, N, tubelet_size * patch_size ** 2 * C).

    Example:
        >>> import torch
        >>> from echocardmae_mm.models.patches import patchify
        >>> patchify(torch.zeros(1, 3, 16, 112, 112), patch_size=16, tubelet_size=2).shape
        torch.Size([1, 392, 1536])
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
    """Assemble clips from patches, the inverse of :func:`patchify`.

    Args:
        patches (Tensor): (B, N, tubelet_size * patch_size ** 2 * C).
        patch_size (int): Height and width of a patch in pixels.
        tubelet_size (int): Frames per patch.
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
    """Cut selected patches out of each clip.

    Args:
        clips (Tensor): Clips of shape (B, C, T, H, W).
        ids (Tensor): Indices of the tokens, int64 of shape (B, K).
        patch_size (int): Height and width of a patch in pixels.
        tubelet_size (int): Frames per patch.

    Returns:
        Tensor: (B, K, tubelet_size * patch_size ** 2 * C).
    """
    patches = patchify(clips, patch_size, tubelet_size)
    first = torch.arange(len(clips), device=clips.device).unsqueeze(1) * patches.shape[1]
    chosen = patches.flatten(0, 1).index_select(0, (ids + first).flatten())
    return chosen.unflatten(0, tuple(ids.shape))


def embed_patches(patches: Tensor, convolution: nn.Conv3d) -> Tensor:
    """Apply a patch embedding to patches, as a linear map.

    Args:
        patches (Tensor): (B, K, D), a subset of the output of :func:`patchify`.
        convolution (nn.Conv3d): The patch embedding; its stride equals its kernel size.

    Returns:
        Tensor: (B, K, C), the outputs of the convolution at those patches.
    """
    weight = rearrange(convolution.weight, 'd c pt ph pw -> d (pt ph pw c)')
    return F.linear(patches, weight, convolution.bias)


class PatchConvolution(nn.Conv3d):
    """A patch embedding; in bfloat16 on CPUs with AMX, computed as a linear map.

    There, torch's convolution is slower than the equivalent linear map.
    """

    def forward(self, clips: Tensor) -> Tensor:
        """Embed the patches of clips.

        Args:
            clips (Tensor): (B, C, T, H, W).

        Returns:
            Tensor: (B, D, T / tubelet_size, H / patch_size, W / patch_size).
        """
        if not (HAS_AMX and _is_bfloat16_on_cpu(clips)):
            return super().forward(clips)
        tubelet_size, patch_size, _ = self.kernel_size
        t, h, w = (size // step for size, step in zip(clips.shape[2:], self.kernel_size))
        whole = clips[..., : t * tubelet_size, : h * patch_size, : w * patch_size]
        tokens = embed_patches(patchify(whole, patch_size, tubelet_size), self)
        return tokens.transpose(1, 2).unflatten(2, (t, h, w))


def _is_bfloat16_on_cpu(clips: Tensor) -> bool:
    if clips.device.type != 'cpu':
        return False
    autocast = torch.is_autocast_enabled('cpu')
    return (torch.get_autocast_dtype('cpu') if autocast else clips.dtype) == torch.bfloat16
