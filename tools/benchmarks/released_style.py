"""A baseline that pretrains in the way of the authors' released code, with our model's weights.

It imitates the method of working without copying the code (v0.1.0; docs/paper-vs-code.md):
albumentations on each frame in worker processes, clips and targets as float32, the patch embedding
of whole clips, boolean masks, positions copied to the device at each step, unfused attention, two
forward passes, and losses read at each step.
"""

from __future__ import annotations

import copy
import os
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recordings import name_in_store
from echocardmae_mm.models import EchoCardMAE
from echocardmae_mm.models.fused_attention import FusedAttention
from echocardmae_mm.models.patches import patchify
from echocardmae_mm.utils.errors import UserError

INSTALL = (
    'python -m pip install --no-deps albumentations==1.4.22 albucore==0.0.21 eval-type-backport '
    'pydantic pydantic-core annotated-types typing-inspection stringzilla simsimd'
)


class ReleasedStyleDataset(Dataset):
    """Clips of memory-mapped arrays, with transforms of single frames.

    Args:
        dataset (RecordingDataset): Data set whose store is read.
        mean (list[float]): Mean of the colours on the scale 0-255.
        std (list[float]): Their standard deviation.
        masks (tuple[np.ndarray, np.ndarray]): ``sector`` and ``masked`` of a clip, bool of (N,).

    Raises:
        UserError: If albumentations is not installed.
    """

    def __init__(
        self,
        dataset: RecordingDataset,
        mean: list[float],
        std: list[float],
        masks: tuple[np.ndarray, np.ndarray],
    ) -> None:
        os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
        try:
            import albumentations
        except ImportError:
            raise UserError(
                f'the baseline needs albumentations; install it with\n{INSTALL}'
            ) from None
        store = dataset.store
        assert store is not None
        infos = [dataset.get_data_info(index) for index in range(len(dataset))]
        names = [name_in_store(info['filename'], dataset.data_root) for info in infos]
        entries = [store.entry(name) for name in names]
        usual = (112, 112)
        self.arrays = [
            np.broadcast_to(
                np.memmap(store.folder / 'frames.bin', np.uint8, 'r', entry['offset'], shape),
                (*shape[:3], 3),
            )
            for entry in entries
            if (shape := tuple(entry.get('shape', ())))[1:3] == usual
        ]
        normalise = albumentations.Normalize(
            mean=[value / 255 for value in mean], std=[value / 255 for value in std]
        )
        median = albumentations.MedianBlur(blur_limit=(3, 3), p=1)
        self.to_input = albumentations.ReplayCompose([normalise])
        self.to_target = albumentations.ReplayCompose([median, normalise])
        self.masks = tuple(map(torch.from_numpy, masks))

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Two clips of a recording and their targets, float32 (3, 16, 112, 112), and the masks."""
        frames = self.arrays[index % len(self.arrays)]
        sample = dict(zip(('sector', 'masked'), self.masks))
        for number in (1, 2):
            begin = np.random.randint(max(1, len(frames) - 60))  # noqa: NPY002
            clip = frames[np.minimum(begin + 4 * np.arange(16), len(frames) - 1)]
            for name, transform in (('x', self.to_input), ('y', self.to_target)):
                done = [transform(image=frame)['image'] for frame in clip]
                sample[f'{name}{number}'] = torch.from_numpy(np.stack(done)).permute(3, 0, 1, 2)
        return sample


class ReleasedStyleStep(nn.Module):
    """Compute the losses of a model as the released code does.

    Args:
        model (EchoCardMAE): Model that shares its weights.
    """

    def __init__(self, model: EchoCardMAE) -> None:
        super().__init__()
        self.head = model.reconstruction_head
        self.alignment: Any = model.alignment_head
        self.encoder, self.decoder = copy.copy(model.backbone), copy.copy(model.neck)
        for part in (self.encoder, self.decoder):
            part._modules = dict(part._modules)
            part.blocks = nn.ModuleList(_with_explicit_attention(block) for block in part.blocks)
        self.positions = [part.pos_embed.detach().cpu() for part in (model.backbone, model.neck)]
        self.size = model.patch_size, model.tubelet_size

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            batch (dict[str, Tensor]): ``x1``, ``x2``, ``y1``, ``y2``, normalised float32
                (B, 3, T, H, W), ``sector`` and ``masked``, bool of shape (B, N).

        Returns:
            dict[str, Tensor]: ``loss_rec`` and ``loss_align``.
        """
        sector, masked = batch['sector'], batch['masked']
        losses, features = [], []
        for number in (1, 2):
            latent = self._encode(batch[f'x{number}'], sector & ~masked)
            predicted = self._decode(latent, sector, masked)
            target = patchify(batch[f'y{number}'], *self.size)
            target = target[masked].reshape(len(target), -1, target.shape[-1])
            losses.append(self.head(predicted, target))
            features.append(latent.mean(dim=1))
        return {
            'loss_rec': (losses[0] + losses[1]) / 2,
            'loss_align': self.alignment(*features),
        }

    def _position(self, which: int, like: Tensor) -> Tensor:
        sent = self.positions[which].expand(len(like), -1, -1).type_as(like).to(like.device)
        return sent.clone().detach()

    def _encode(self, clips: Tensor, visible: Tensor) -> Tensor:
        tokens = self.encoder.patch_embed.projection(clips).flatten(2).transpose(1, 2)
        tokens = tokens + self._position(0, tokens)
        tokens = tokens[visible].reshape(len(tokens), -1, tokens.shape[-1])
        for block in self.encoder.blocks:
            tokens = block(tokens)
        return self.encoder.norm(tokens)

    def _decode(self, latent: Tensor, sector: Tensor, masked: Tensor) -> Tensor:
        decoder = self.decoder
        visible = decoder.encoder_to_decoder(latent)
        position = self._position(1, visible)

        def places(chosen: Tensor) -> Tensor:
            return position[chosen].reshape(len(latent), -1, position.shape[-1])

        context = decoder.background_token.expand(len(latent), -1, -1)
        if decoder.background == 'positional':
            context = decoder.background_token + places(~sector)
        hidden = decoder.mask_token + places(masked)
        tokens = torch.cat((visible + places(sector & ~masked), hidden, context), dim=1)
        for block in decoder.blocks:
            tokens = block(tokens)
        predicted = tokens[:, visible.shape[1] : visible.shape[1] + hidden.shape[1]]
        return decoder.head(decoder.norm(predicted))


class _ExplicitAttention(FusedAttention):
    """The same attention with an explicit attention matrix."""

    def forward(self, x: Tensor, key_mask: Tensor | None = None) -> Tensor:
        qkv = F.linear(x, self.qkv.weight, self._qkv_bias()).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attention = (q * self.scale @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.proj((attention @ v).transpose(1, 2).flatten(2))


def _with_explicit_attention(block: Any) -> Any:
    """Copy a block with fused attention to one without; both share the parameters."""
    explicit = copy.copy(block)
    explicit._modules = dict(block._modules)
    explicit.attn = copy.copy(block.attn)
    explicit.attn.__class__ = _ExplicitAttention
    return explicit
