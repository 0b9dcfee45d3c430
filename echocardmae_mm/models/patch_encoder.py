"""What encoders that look at some patches of a clip have in common."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from echocardmae_mm.models.patches import embed_patches, patchify, require_tokens, take_patches


class PatchEncoder:
    """Cuts clips into patches and encodes those that are asked for.

    A subclass has the positions of all tokens, ``pos_embed`` of shape (1, N, C), and knows its
    patch embedding.
    """

    pos_embed: Tensor

    @property
    @abstractmethod
    def patch_convolution(self) -> nn.Conv3d:
        """The patch embedding, its kernel as large as its stride."""

    @abstractmethod
    def encode(self, patches: Tensor, ids: Tensor | None = None) -> Tensor:
        """Latents of some patches: the others take no part, not even in the patch embedding.

        Args:
            patches (Tensor): Normalised patches, (B, K, D), laid out (p_t, p_h, p_w, channel).
            ids (Tensor, optional): Their indices in the clip, int64 of shape (B, K). Defaults to
                None, they are all of the clip's, in order.

        Returns:
            Tensor: (B, K, C).
        """

    def forward(self, clips: Tensor, visible: Tensor | None = None) -> Tensor:
        """Latents of the visible tokens.

        Args:
            clips (Tensor): Normalised clips, (B, 3, T, H, W), of the size the model is made for.
            visible (Tensor, optional): Tokens to look at, int64 of shape (B, Nv). Defaults to
                None, all tokens in order.

        Returns:
            Tensor: (B, Nv, C), or (B, N, C) without ``visible``.

        Raises:
            UserError: If the clips have another number of tokens than the model.
        """
        tubelet_size, patch_size, _ = self.patch_convolution.kernel_size
        require_tokens(clips, self.pos_embed.shape[1], patch_size, tubelet_size)
        if visible is None:
            return self.encode(patchify(clips, patch_size, tubelet_size))
        return self.encode(take_patches(clips, visible, patch_size, tubelet_size), visible)

    def _embed(self, patches: Tensor, ids: Tensor | None) -> Tensor:
        position = self.pos_embed if ids is None else self.pos_embed[0, ids]
        return embed_patches(patches, self.patch_convolution) + position
