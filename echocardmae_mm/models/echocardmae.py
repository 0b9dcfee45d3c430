"""EchoCardMAE: masked-autoencoder pretraining on pairs of clips of an echocardiogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from echocardmae_mm.models.patches import patchify, take_patches, unpatchify
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class EchoCardMAE(BaseModel):
    """The pretraining model of Fig. 1.

    Args:
        backbone (dict): The encoder: ``encode(patches, places) -> (2B, Nv, C)``, such as
            :class:`MaskedVisionTransformer` or another :class:`PatchEncoder`.
        neck (dict): The decoder, such as :class:`BackgroundTokenDecoder`.
        reconstruction_head (dict): L_rec of Eq. 1.
        alignment_head (dict, optional): L_align of Eq. 1. Defaults to None, reconstruction only.
        data_preprocessor (dict, optional): :class:`ClipPairPreprocessor`; it knows the mean and the
            deviation. Defaults to None, for a model that holds weights only.
        decoder_chunks (int): The decoder works on the clips in so many parts, one after the other,
            and computes each again for its gradients: the same losses in a fraction of the memory,
            for a little time. Defaults to 1.
        decode_ratio (float): Part of the masked tokens, in (0, 1], that the decoder predicts in
            training, drawn anew at each step; the others are left out altogether, as in VideoMAE
            V2. Below 1 it is another objective than the paper's. Defaults to 1.
        compile (dict | bool): Whether ``torch.compile`` is applied to everything between the
            frames and the alignment loss, with these arguments, such as
            ``dict(mode='reduce-overhead')`` for CUDA graphs. Defaults to False.
        init_cfg (dict, optional): Initialisation of the whole, such as ``dict(type='Pretrained',
            checkpoint=...)``. Defaults to None.

    Raises:
        UserError: If encoder and decoder are made for clips of different sizes, a number is out of
            range, or ``decode_ratio`` is below 1 where videos differ in the size of their sector.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        reconstruction_head: dict,
        alignment_head: dict | None = None,
        data_preprocessor: dict | None = None,
        decoder_chunks: int = 1,
        decode_ratio: float = 1.0,
        compile: dict | bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.reconstruction_head = MODELS.build(reconstruction_head)
        self.alignment_head = None
        if alignment_head is not None:
            self.alignment_head = MODELS.build(alignment_head)
        if decoder_chunks < 1:
            raise UserError(f'decoder_chunks={decoder_chunks} must be at least 1')
        if not 0 < decode_ratio <= 1:
            raise UserError(f'decode_ratio={decode_ratio} must lie above 0 and not above 1')
        if decode_ratio < 1 and getattr(self.data_preprocessor, 'pad_masked', False):
            raise UserError('decode_ratio below 1 does not go with pad_masked=True')
        self.decoder_chunks = decoder_chunks
        self.decode_ratio = decode_ratio
        self.compile_arguments: dict | None = None
        if compile or isinstance(compile, dict):
            given = compile if isinstance(compile, dict) else {}
            self.compile_arguments = {'fullgraph': True, 'dynamic': False, **given}
        self._compiled: Callable[..., tuple[Tensor, Tensor]] | None = None
        self._require_one_size()

    def __getstate__(self) -> dict[str, Any]:
        # A copy compiles for itself: what is compiled can neither be copied nor sent.
        return {**super().__getstate__(), '_compiled': None}

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
            self._require_size(inputs)
            return self._encode(inputs)
        raise ValueError(f"mode is {mode!r}; it can be 'tensor', 'loss' or 'predict'")

    def loss(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The two terms of Eq. 1, already weighted.

        Args:
            inputs (dict[str, Tensor]): As :class:`ClipPairPreprocessor` makes them.

        Returns:
            dict[str, Tensor]: ``loss_rec`` and, with an alignment head, ``loss_align``.
        """
        self._require_size(inputs)
        if self.training and self.decode_ratio < 1:
            inputs = {**inputs, 'masked': self._some(inputs['masked'])}
        loss_rec, features = self._learn(inputs)
        losses = {'loss_rec': loss_rec}
        if self.alignment_head is not None:
            losses['loss_align'] = self.alignment_head(*features.chunk(2))
        return losses

    def learn(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The reconstruction loss, and the features that are to be aligned.

        Args:
            inputs (dict[str, Tensor]): As :class:`ClipPairPreprocessor` makes them.

        Returns:
            tuple[Tensor, Tensor]: The weighted loss, a float32 scalar, and the mean latent of each
            clip, (2B, C).
        """
        latent = self._encode(inputs)
        if self.decoder_chunks == 1:
            return self._reconstruct(latent, inputs), latent.mean(dim=1)
        loss = latent.new_zeros((), dtype=torch.float32)
        chunks = min(self.decoder_chunks, len(latent))
        for chunk in range(chunks):
            begin, end = (len(latent) * i // chunks for i in (chunk, chunk + 1))
            some = {name: x if x is None else x[begin:end] for name, x in inputs.items()}
            part = checkpoint(self._reconstruct, latent[begin:end], some, use_reentrant=False)
            loss = loss + part * ((end - begin) / len(latent))
        return loss, latent.mean(dim=1)

    def patches(self, clips: Tensor, places: Tensor) -> Tensor:
        """Patches as the model computes with them.

        Args:
            clips (Tensor): (2B, 3, T, H, W) on the scale 0-255, of any type.
            places (Tensor): Which tokens, int64 of shape (2B, K).

        Returns:
            Tensor: Normalised float32, (2B, K, D).
        """
        cut_out = take_patches(clips, places, *self._patch_and_tubelet)
        return self.data_preprocessor.normalise(cut_out)

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
        self._require_size(inputs)
        predicted = self._decode(self._encode(inputs), inputs)
        predicted = self.data_preprocessor.denormalise(predicted)
        patches = patchify(clips, *self._patch_and_tubelet).float()
        rows = torch.arange(len(patches), device=patches.device).unsqueeze(1)
        if valid is not None:
            predicted = torch.where(valid[..., None], predicted, patches[rows, masked])
        patches = patches.index_put((rows, masked), predicted)
        frame_size = clips.shape[-2], clips.shape[-1]
        reconstruction = unpatchify(patches, *self._patch_and_tubelet, frame_size)

        is_masked = patches.new_zeros(patches.shape[:2], dtype=torch.bool)
        is_masked[rows, masked] = True if valid is None else valid
        is_sector = is_masked.clone()
        is_sector[rows, inputs['visible']] = True
        fields = {
            'input': clips.float(),
            'target': inputs['target'].float(),
            'reconstruction': reconstruction,
            'masked': is_masked,
            'sector': is_sector,
        }
        samples = data_samples or [BaseDataElement() for _ in range(len(clips) // 2)]
        for index, sample in enumerate(samples):
            sample.set_data({name: x[index :: len(samples)] for name, x in fields.items()})
            sample.set_data({'token_size': self._patch_and_tubelet[::-1]})
        return samples

    def _some(self, masked: Tensor) -> Tensor:
        count = max(1, round(self.decode_ratio * masked.shape[1]))
        order = torch.rand(masked.shape, device=masked.device).argsort(dim=1)
        return masked.gather(1, order[:, :count])

    def _learn(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        if self.compile_arguments is None:
            return self.learn(inputs)
        if self._compiled is None:
            self._compiled = torch.compile(self.learn, **self.compile_arguments)
        return self._compiled(inputs)

    def _require_size(self, inputs: dict[str, Tensor]) -> None:
        found = tuple(inputs['imgs'].shape[2:])
        if found != self.neck.clip_size:
            raise UserError(
                f'clips of {found} (frames, height, width), the model is made for '
                f'{self.neck.clip_size}: let num_frames and img_size of encoder and decoder agree '
                'with the pipeline'
            )
        num_tokens = self.neck.pos_embed.shape[1]
        of_masks = sum(inputs[name].shape[1] for name in ('visible', 'masked', 'background'))
        if of_masks != num_tokens:
            raise UserError(
                f'masks of {of_masks} tokens, the model has {num_tokens}: let patch_size and '
                'tubelet_size of SectorMask agree with those of encoder and decoder'
            )

    def _require_one_size(self) -> None:
        sizes = [
            part.pos_embed.shape[1]
            for part in (self.backbone, self.neck)
            if hasattr(part, 'pos_embed')
        ]
        if len(set(sizes)) > 1:
            raise UserError(
                f'the encoder is made for clips of {sizes[0]} tokens, the decoder for {sizes[1]}: '
                'let img_size, patch_size, num_frames and tubelet_size of both agree'
            )

    def _encode(self, inputs: dict[str, Tensor]) -> Tensor:
        patches = self.patches(inputs['imgs'], inputs['visible'])
        return self.backbone.encode(patches, inputs['visible'])

    def _reconstruct(self, latent: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        prediction = self._decode(latent, inputs)
        target = self.patches(inputs['target'], inputs['masked'])
        return self.reconstruction_head(prediction, target, inputs['masked_valid'])

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
