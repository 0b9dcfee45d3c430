"""Segmentation of clips with a memory, as MemSAM does."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS as MMENGINE_MODELS
from torch import Tensor

from echocardmae_mm.models.peers.prompted_segmentor import PromptedSegmentor
from echocardmae_mm.models.peers.space_time_memory import MemoryKeys
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_UPDATE_INTERVAL = 5  # frames between updates of the hidden state


@MODELS.register_module()
class MemorySegmentor(PromptedSegmentor):
    """MemSAM: masks of a clip, from one click in its first frame or without any.

    The prompt gives a mask of the first frame, which fills the memory; the memory prompts every
    frame, the first one included. The hidden state is updated after the first mask and then with
    probability 0.2, as in dengxl0520/MemSAM (MIT). In tests, where MemSAM draws too, it is updated
    after every fifth frame, so that results can be repeated.

    Args:
        memory (dict): :class:`SpaceTimeMemory`.
        **kwargs (Any): Arguments of :class:`PromptedSegmentor`; ``data_preprocessor`` is
            ``mmaction.ActionDataPreprocessor`` with ``format_shape='NCTHW'``, and the stride of
            ``backbone`` is 8.

    Raises:
        UserError: If the stride of the encoder is not 8.
    """

    def __init__(self, memory: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.memory = MMENGINE_MODELS.build(memory)
        if self.img_size != 8 * self.backbone.grid_size:
            raise UserError(
                f'MemorySegmentor: the encoder has a grid of {self.backbone.grid_size} for '
                f'{self.img_size} pixels; set its stride to 8, as that of the memory'
            )

    def _logits(self, inputs: Tensor, samples: list[Any]) -> Tensor:
        """(B, 1, 3, T, S, S) -> (B, K - 1, T, S, S)."""
        frames = inputs[:, 0].transpose(1, 2)  # (B, T, 3, S, S)
        embeddings = self.backbone(frames.flatten(0, 1))[-1].unflatten(0, frames.shape[:2])
        # Each structure has its own memory.
        frames, embeddings = (
            x.repeat_interleave(self.num_structures, dim=0) for x in (frames, embeddings)
        )
        keys = self.memory.keys(embeddings)
        hidden = embeddings.new_zeros(
            len(embeddings), self.memory.hidden_dims, *embeddings.shape[3:]
        )
        sparse = self._prompt(samples, embeddings[:, 0])
        prompted = self._mask(embeddings[:, 0], sparse, self.prompt_encoder.no_mask())
        first, hidden = self.memory.write(frames[:, 0], embeddings[:, 0], prompted, hidden, True)
        none = sparse[:, :0]
        masks: list[Tensor] = []
        values: list[Tensor] = []
        for index, embedding in enumerate(embeddings.unbind(1)):
            past = MemoryKeys(*(part[:, : max(index, 1)] for part in keys))
            query = MemoryKeys(*(part[:, index : index + 1] for part in keys))
            readout = self.memory.read(query, past, torch.stack(values or [first], dim=1))
            dense, hidden = self.memory.prompt(embedding, readout, hidden)
            masks.append(self._mask(embedding, none, dense))
            if index < embeddings.shape[1] - 1:
                value, hidden = self.memory.write(
                    frames[:, index], embedding, masks[-1], hidden, self._updates_hidden(index)
                )
                values.append(value)
        return torch.cat(masks, dim=1).unflatten(0, (-1, self.num_structures))

    def _mask(self, embedding: Tensor, sparse: Tensor, dense: Tensor) -> Tensor:
        """Logits at the size of the frames, (B, 1, S, S)."""
        masks = self._decode(embedding, sparse, dense)
        size = (self.img_size, self.img_size)
        return F.interpolate(masks, size, mode='bilinear', align_corners=False)

    def _updates_hidden(self, index: int) -> bool:
        if self.training:
            return bool(torch.rand(()) < 1 / _UPDATE_INTERVAL)
        return index % _UPDATE_INTERVAL == _UPDATE_INTERVAL - 1
