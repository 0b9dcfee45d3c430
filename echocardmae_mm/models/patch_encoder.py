"""Base class of encoders that process a subset of the patches of a clip."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from echocardmae_mm.models.patches import embed_patches, patchify, take_patches
from echocardmae_mm.utils.errors import UserError


class PatchEncoder:
    """Cut clips into patches and encode a subset of them.

    A subclass defines ``pos_embed``, the positions of all tokens, of shape (1, N, C).
    """

    pos_embed: Tensor

    @property
    @abstractmethod
    def patch_convolution(self) -> nn.Conv3d:
        """The patch embedding; its stride equals its kernel size."""

    @abstractmethod
    def encode(self, patches: Tensor, ids: Tensor | None = None) -> Tensor:
        """Encode a subset of the patches.

        Args:
            patches (Tensor): Normalised patches, (B, K, D), in the layout of :func:`patchify`.
            ids (Tensor, optional): Their token indices, int64 of shape (B, K). Defaults to None,
                all tokens in order.

        Returns:
            Tensor: (B, K, C).
        """

    def forward(self, clips: Tensor, visible: Tensor | None = None) -> Tensor:
        """Encode the visible tokens of clips.

        Args:
            clips (Tensor): Normalised clips, (B, 3, T, H, W).
            visible (Tensor, optional): Indices of visible tokens, int64 of shape (B, Nv). Defaults
                to None, all tokens in order.

        Returns:
            Tensor: (B, Nv, C), or (B, N, C) without ``visible``.

        Raises:
            UserError: If the clips do not have the number of tokens that the model expects.
        """
        tubelet_size, patch_size, _ = self.patch_convolution.kernel_size
        expected = self.pos_embed.shape[1]
        found = clips[0, 0].numel() // (tubelet_size * patch_size**2)
        if found != expected:
            raise UserError(
                f'clips of {tuple(clips.shape[2:])} (frames, height, width) have {found} tokens, '
                f'but the model expects {expected}: set its num_frames and img_size as in the '
                'pipeline'
            )
        if visible is None:
            return self.encode(patchify(clips, patch_size, tubelet_size))
        return self.encode(take_patches(clips, visible, patch_size, tubelet_size), visible)

    def _embed(self, patches: Tensor, ids: Tensor | None) -> Tensor:
        position = self.pos_embed if ids is None else self.pos_embed[0, ids]
        return embed_patches(patches, self.patch_convolution) + position
