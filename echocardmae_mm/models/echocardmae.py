"""EchoCardMAE: masked-autoencoder pretraining on pairs of clips of an echocardiogram."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor

from echocardmae_mm.registry import MODELS

from .patches import patchify, take_patches, unpatchify


@MODELS.register_module()
class EchoCardMAE(BaseModel):
    """The pretraining model of Fig. 1.

    Args:
        backbone (dict): The encoder: ``forward(clips, visible) -> (2B, Nv, C)``, such as
            :class:`MaskedVisionTransformer`.
        neck (dict): The decoder, such as :class:`BackgroundTokenDecoder`.
        reconstruction_head (dict): L_rec of Eq. 1.
        alignment_head (dict, optional): L_align of Eq. 1. Defaults to None, reconstruction only.
        data_preprocessor (dict, optional): :class:`ClipPairPreprocessor`. Defaults to None.
        init_cfg (dict, optional): Initialisation of the whole, such as ``dict(type='Pretrained',
            checkpoint=...)``. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        reconstruction_head: dict,
        alignment_head: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.reconstruction_head = MODELS.build(reconstruction_head)
        self.alignment_head = None
        if alignment_head is not None:
            self.alignment_head = MODELS.build(alignment_head)

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor] | list[BaseDataElement]:
        """Latents, losses or reconstructions.

        Args:
            inputs (dict[str, Tensor]): As :class:`ClipPairPreprocessor` makes them.
            data_samples (list[BaseDataElement], optional): One a video. Defaults to None.
            mode (str): 'tensor', 'loss' or 'predict'. Defaults to 'tensor'.

        Returns:
            Tensor | dict[str, Tensor] | list[BaseDataElement]: Latents of the visible tokens
            (2B, Nv, C), or what :meth:`loss` or :meth:`predict` returns.
        """
        if mode == 'loss':
            return self.loss(inputs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.backbone(inputs['imgs'], inputs['visible'])
        raise ValueError(f"mode is {mode!r}; it can be 'tensor', 'loss' or 'predict'")

    def loss(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The two terms of Eq. 1, already weighted.

        Args:
            inputs (dict[str, Tensor]): As :class:`ClipPairPreprocessor` makes them.

        Returns:
            dict[str, Tensor]: ``loss_rec`` and, with an alignment head, ``loss_align``.
        """
        latent = self.backbone(inputs['imgs'], inputs['visible'])
        prediction = self._decode(latent, inputs)
        target = take_patches(inputs['target'], inputs['masked'], *self._patch_and_tubelet)
        losses = {'loss_rec': self.reconstruction_head(prediction, target, inputs['masked_valid'])}
        if self.alignment_head is not None:
            features_1, features_2 = latent.mean(dim=1).chunk(2)
            losses['loss_align'] = self.alignment_head(features_1, features_2)
        return losses

    def predict(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[BaseDataElement] | None = None,
    ) -> list[BaseDataElement]:
        """Reconstruct the masked tokens.

        Args:
            inputs (dict[str, Tensor]): As :class:`ClipPairPreprocessor` makes them.
            data_samples (list[BaseDataElement], optional): One a video, to be added to.
                Defaults to None, new ones are made.

        Returns:
            list[BaseDataElement]: One a video, with ``input``, ``target`` and ``reconstruction``
            (2, 3, T, H, W), float32 on the scale 0-255, the reconstruction being the prediction
            in the masked tokens and the input elsewhere; ``masked`` and ``sector``, bool (2, N);
            ``token_size``, frames of a token and its side in pixels.
        """
        clips, masked, valid = inputs['imgs'], inputs['masked'], inputs['masked_valid']
        prediction = self._decode(self.backbone(clips, inputs['visible']), inputs)
        patches = patchify(clips, *self._patch_and_tubelet)
        rows = torch.arange(len(patches), device=patches.device).unsqueeze(1)
        if valid is not None:
            prediction = torch.where(valid[..., None], prediction, patches[rows, masked])
        patches = patches.index_put((rows, masked), prediction.to(patches.dtype))
        frame_size = clips.shape[-2], clips.shape[-1]
        reconstruction = unpatchify(patches, *self._patch_and_tubelet, frame_size)

        is_masked = patches.new_zeros(patches.shape[:2], dtype=torch.bool)
        is_masked[rows, masked] = True if valid is None else valid
        is_sector = is_masked.clone()
        is_sector[rows, inputs['visible']] = True
        pixels = {'input': clips, 'target': inputs['target'], 'reconstruction': reconstruction}
        fields = {name: self.data_preprocessor.denormalise(x) for name, x in pixels.items()}
        fields.update(masked=is_masked, sector=is_sector)
        samples = data_samples or [BaseDataElement() for _ in range(len(clips) // 2)]
        for index, sample in enumerate(samples):
            sample.set_data({name: x[index :: len(samples)] for name, x in fields.items()})
            sample.set_data({'token_size': self._patch_and_tubelet[::-1]})
        return samples

    def _decode(self, latent: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        return self.neck(
            latent,
            inputs['visible'],
            inputs['masked'],
            inputs['background'],
            inputs['masked_valid'],
        )

    @property
    def _patch_and_tubelet(self) -> tuple[int, int]:
        return self.neck.patch_size, self.neck.tubelet_size
