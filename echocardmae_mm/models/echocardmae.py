"""EchoCardMAE: masked-autoencoder pretraining on pairs of echocardiogram clips."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from echocardmae_mm.models.clip_pair_preprocessor import TokenIndices
from echocardmae_mm.models.patches import patchify, take_patches, unpatchify
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class EchoCardMAE(BaseModel):
    """The pretraining model of Fig. 1.

    The model passes its geometry (sizes of frames, clips and patches) to the encoder, the decoder
    and the mask, and the encoder's width to the decoder.

    Args:
        backbone (dict): The encoder, a :class:`PatchEncoder` such as
            :class:`MaskedVisionTransformer`.
        neck (dict): The decoder, such as :class:`BackgroundTokenDecoder`.
        reconstruction_head (dict): L_rec of Eq. 1.
        alignment_head (dict, optional): L_align of Eq. 1. Defaults to None, reconstruction only.
        latent_target (dict, optional): :class:`LatentTarget`, whose latents replace the denoised
            pixels as targets. Defaults to None.
        data_preprocessor (dict, optional): :class:`ClipPairPreprocessor`. Defaults to None, which
            suffices for loading weights.
        img_size (int): Height and width of the frames in pixels. Defaults to 112.
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        num_frames (int): Frames per clip. Defaults to 16.
        tubelet_size (int): Frames per patch. Defaults to 2.
        init_cfg (dict, optional): Initialisation of the model, such as ``dict(type='Pretrained',
            checkpoint=...)``. Defaults to None.

    Raises:
        UserError: If the config of a part contradicts the geometry.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any],
        reconstruction_head: dict[str, Any],
        alignment_head: dict[str, Any] | None = None,
        latent_target: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        img_size: int = 112,
        patch_size: int = 16,
        num_frames: int = 16,
        tubelet_size: int = 2,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        geometry = dict(
            img_size=img_size,
            patch_size=patch_size,
            num_frames=num_frames,
            tubelet_size=tubelet_size,
        )
        if isinstance(data_preprocessor, dict) and data_preprocessor.get('mask') is not None:
            token_size = dict(patch_size=patch_size, tubelet_size=tubelet_size)
            mask = _with_geometry('data_preprocessor.mask', data_preprocessor['mask'], token_size)
            data_preprocessor = {**data_preprocessor, 'mask': mask}
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        backbone = _with_geometry('backbone', backbone, geometry)
        self.backbone = MODELS.build(backbone)
        neck = {'in_channels': self.backbone.pos_embed.shape[-1], **neck}
        self.latent_target = None
        if latent_target is not None:
            self.latent_target = MODELS.build({'backbone': backbone, **latent_target})
            neck['out_channels'] = self.latent_target.out_channels
        self.neck = MODELS.build(_with_geometry('neck', neck, geometry))
        self.reconstruction_head = MODELS.build(reconstruction_head)
        self.alignment_head = None
        if alignment_head is not None:
            self.alignment_head = MODELS.build(alignment_head)
        self.clip_size = (num_frames, img_size, img_size)
        self.patch_size = patch_size
        self.tubelet_size = tubelet_size

    def forward(
        self,
        inputs: dict[str, Any],
        data_samples: list[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor] | list[BaseDataElement]:
        """Compute latents, losses or reconstructions.

        Args:
            inputs (dict): From :class:`ClipPairPreprocessor`.
            data_samples (list[BaseDataElement], optional): One per video. Defaults to None.
            mode (str): 'tensor', 'loss' or 'predict'. Defaults to 'tensor'.

        Returns:
            Tensor | dict[str, Tensor] | list[BaseDataElement]: Latents of the visible tokens
            (2B, Nv, C), or the result of :meth:`loss` or :meth:`predict`.
        """
        if mode == 'loss':
            return self.loss(inputs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            self._require_geometry(inputs)
            return self.encode(inputs['imgs'], inputs['tokens'].visible)
        raise ValueError(f"mode={mode!r} is unknown; choose 'tensor', 'loss' or 'predict'")

    def loss(self, inputs: dict[str, Any]) -> dict[str, Tensor]:
        """Compute the two weighted terms of Eq. 1.

        Args:
            inputs (dict): From :class:`ClipPairPreprocessor`.

        Returns:
            dict[str, Tensor]: ``loss_rec`` and, with an alignment head, ``loss_align``.
        """
        self._require_geometry(inputs)
        tokens = inputs['tokens']
        latent = self.encode(inputs['imgs'], tokens.visible)  # (2B, Nv, C) visible sector tokens
        predicted = self.decode(latent, tokens)  # (2B, Nm, D) masked sector tokens
        target = self.targets(inputs['target'], tokens.masked)  # (2B, Nm, D) denoised pixels
        losses = {'loss_rec': self.reconstruction_head(predicted, target, tokens.valid)}
        if self.alignment_head is not None:
            losses['loss_align'] = self.alignment_head(*latent.mean(dim=1).chunk(2))
        return losses

    def encode(self, clips: Tensor, ids_visible: Tensor) -> Tensor:
        """Encode the visible tokens.

        Args:
            clips (Tensor): (2B, 3, T, H, W) on the scale 0-255, of any type.
            ids_visible (Tensor): Their indices, int64 of shape (2B, Nv).

        Returns:
            Tensor: (2B, Nv, C).
        """
        return self.backbone.encode(self.patches(clips, ids_visible), ids_visible)

    def extract_feat(self, clips: Tensor) -> Tensor:
        """Encode all tokens, without a mask, as in fine-tuning.

        Args:
            clips (Tensor): (B, 3, T, H, W) on the scale 0-255, of any type.

        Returns:
            Tensor: (B, N, C), in the order t, h, w.
        """
        patches = patchify(clips, self.patch_size, self.tubelet_size)
        return self.backbone.encode(self.data_preprocessor.normalise(patches))

    def decode(self, latent: Tensor, tokens: TokenIndices) -> Tensor:
        """Predict the masked tokens.

        Args:
            latent (Tensor): (2B, Nv, C).
            tokens (TokenIndices): Token indices of the clips.

        Returns:
            Tensor: Normalised pixels or latents, (2B, Nm, D).
        """
        return self.neck(latent, *tokens)

    def targets(self, clips: Tensor, ids: Tensor) -> Tensor:
        """Make the decoder's targets: normalised pixels, or latents of ``latent_target``.

        Args:
            clips (Tensor): (2B, 3, T, H, W) on the scale 0-255, of any type.
            ids (Tensor): Indices of the tokens, int64 of shape (2B, K).

        Returns:
            Tensor: float32, (2B, K, D).
        """
        if self.latent_target is None:
            return self.patches(clips, ids)
        patches = patchify(clips, self.patch_size, self.tubelet_size)
        return self.latent_target(self.data_preprocessor.normalise(patches), ids)

    def patches(self, clips: Tensor, ids: Tensor) -> Tensor:
        """Cut out and normalise the patches of selected tokens.

        Args:
            clips (Tensor): (2B, 3, T, H, W) on the scale 0-255, of any type.
            ids (Tensor): Indices of the tokens, int64 of shape (2B, K).

        Returns:
            Tensor: float32, (2B, K, D).
        """
        patches = take_patches(clips, ids, self.patch_size, self.tubelet_size)
        return self.data_preprocessor.normalise(patches)

    def predict(
        self, inputs: dict[str, Any], data_samples: list[BaseDataElement] | None = None
    ) -> list[BaseDataElement]:
        """Reconstruct the masked tokens.

        Args:
            inputs (dict): From :class:`ClipPairPreprocessor`.
            data_samples (list[BaseDataElement], optional): One per video, extended in
                place. Defaults to None, new samples.

        Returns:
            list[BaseDataElement]: One per video, with ``input``, ``target`` and ``reconstruction``,
            float32 (2, 3, T, H, W) on the scale 0-255; ``masked`` and ``sector``, bool (2, N); and
            ``token_size``, the number of frames and the height in pixels of a token. The
            reconstruction is the prediction at masked tokens and the input elsewhere.

        Raises:
            UserError: If the model predicts latents, which are no pictures.
        """
        if self.latent_target is not None:
            raise UserError(
                'a model with latent_target reconstructs no frames: remove validation and test '
                'from the config'
            )
        self._require_geometry(inputs)
        clips, tokens = inputs['imgs'], inputs['tokens']
        predicted = self.decode(self.encode(clips, tokens.visible), tokens)
        predicted = self.data_preprocessor.denormalise(predicted)
        patches = patchify(clips, self.patch_size, self.tubelet_size).float()  # (2B, N, D)
        rows = torch.arange(len(patches), device=patches.device).unsqueeze(1)
        if tokens.valid is not None:
            kept = patches[rows, tokens.masked]
            predicted = torch.where(tokens.valid[..., None], predicted, kept)
        patches = patches.index_put((rows, tokens.masked), predicted)

        masked = patches.new_zeros(patches.shape[:2], dtype=torch.bool)  # (2B, N)
        masked[rows, tokens.masked] = True if tokens.valid is None else tokens.valid
        sector = masked.clone()
        sector[rows, tokens.visible] = True
        fields = {
            'input': clips.float(),
            'target': inputs['target'].float(),
            'reconstruction': unpatchify(
                patches, self.patch_size, self.tubelet_size, clips.shape[-2:]
            ),
            'masked': masked,
            'sector': sector,
        }
        samples = data_samples or [BaseDataElement() for _ in range(len(clips) // 2)]
        for index, sample in enumerate(samples):
            sample.set_data({name: x[index :: len(samples)] for name, x in fields.items()})
            sample.set_data({'token_size': (self.tubelet_size, self.patch_size)})
        return samples

    def _require_geometry(self, inputs: dict[str, Any]) -> None:
        found = tuple(inputs['imgs'].shape[2:])
        if found != self.clip_size:
            raise UserError(
                f'clips of {found} (frames, height, width), but the model expects '
                f'{self.clip_size}: set num_frames and img_size of the model as in the pipeline'
            )
        expected = self.backbone.pos_embed.shape[1]
        tokens = inputs['tokens']
        num_tokens = sum(ids.shape[1] for ids in (tokens.visible, tokens.masked, tokens.background))
        if num_tokens != expected:
            raise UserError(
                f'masks of {num_tokens} tokens, but the model has {expected}: set patch_size and '
                'tubelet_size of SectorMask as in the model'
            )


def _with_geometry(part: str, config: dict[str, Any], geometry: dict[str, int]) -> dict[str, Any]:
    for name, value in geometry.items():
        if config.get(name, value) != value:
            raise UserError(
                f'{part}.{name}={config[name]} contradicts {name}={value} of the model: set {name} '
                'of the model only, which passes it on'
            )
    return {**config, **geometry}
