"""EchoMEN's head: experts for common and rare ejection fractions, and their mixture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from echocardmae_mm.models.ef_head import EFHead, ef_of, pool
from echocardmae_mm.registry import MODELS

_BINS = 100


@MODELS.register_module()
class MultiExpertHead(EFHead):
    """Linear experts, each trained with other weights of the recordings, and an aggregator.

    Expert m weights a recording by its rarity, ``count(EF) ** -power_m`` divided by the mean over
    the training set. The count is that of a histogram in bins of one per cent, clipped and
    interpolated between bin centres. The aggregator mixes the experts by a softmax of the features.
    Experts learn from their own squared error, the aggregator from that of the mixture (EchoMEN,
    Lai et al., MICCAI 2024, section 2.3 and released code, which has no licence: written from the
    formulas).

    Args:
        in_channels (int): Width C of the features. Defaults to 512.
        powers (Sequence[float]): Power of each of the M experts. Defaults to (0, 0.5, 1).
        counts (tuple[float, float]): Bounds of the counts. Defaults to (80, 1000), for the 7,465
            training recordings of EchoNet-Dynamic.
        hidden_channels (int): Width of the aggregator's hidden layer. Defaults to 128.
        mean (float): EF in per cent that untrained experts predict. Defaults to 55.6.
        **kwargs (Any): ``std`` and ``init_cfg`` of :class:`EFHead`.
    """

    count_of_bin: Tensor
    mean_weight: Tensor

    def __init__(
        self,
        in_channels: int = 512,
        powers: Sequence[float] = (0.0, 0.5, 1.0),
        counts: tuple[float, float] = (80.0, 1000.0),
        hidden_channels: int = 128,
        mean: float = 55.6,
        std: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, 'zscore', 'l2', mean=mean, std=std, **kwargs)
        self.powers = tuple(powers)
        self.counts = counts
        del self.fc
        self.experts = nn.Linear(in_channels, len(self.powers))
        nn.init.normal_(self.experts.weight, std=0.01)
        nn.init.zeros_(self.experts.bias)
        self.aggregator = nn.Sequential(
            nn.Linear(in_channels, hidden_channels),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_channels, len(self.powers)),
        )
        self.register_buffer('count_of_bin', torch.full((_BINS,), float(counts[0])))
        self.register_buffer('mean_weight', torch.ones(len(self.powers)))

    def fit_targets(self, efs: Sequence[float] | np.ndarray) -> None:
        """Set the counts and the mean weights from the training set; see :class:`EFHead`."""
        super().fit_targets(efs)
        values = np.asarray(efs, np.float64)
        counts, _ = np.histogram(values, bins=_BINS, range=(0, 100))
        self.count_of_bin.copy_(torch.from_numpy(counts.clip(*self.counts)))
        self.mean_weight.fill_(1.0)
        weights = self._weights(torch.from_numpy(values).to(self.mean_weight))
        self.mean_weight.copy_(weights.mean(dim=0))

    def forward(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Predict the mixture; see :class:`EFHead`."""
        features = pool(features)
        with torch.autocast(features.device.type, enabled=False):
            return (self._mixture(features) * self._experts(features)).sum(dim=1)

    def loss(
        self, features: Tensor | Sequence[Tensor], data_samples: list[BaseDataElement], **_: Any
    ) -> dict[str, Tensor]:
        """Compute the losses of experts and mixture.

        Args:
            features (Tensor | Sequence[Tensor]): See :class:`EFHead`.
            data_samples (list[BaseDataElement]): One per recording, with ``ef`` in per cent.

        Returns:
            dict[str, Tensor]: ``loss_experts``, the sum of their weighted squared errors, and
            ``loss_mixture``.
        """
        features = pool(features)
        efs = features.new_tensor([ef_of(sample) for sample in data_samples])
        efs = efs.repeat_interleave(len(features) // len(efs))  # (N,)
        with torch.autocast(features.device.type, enabled=False):
            experts = self._experts(features)  # (N, M)
            errors = ((experts - efs[:, None]) / self.std).square()
            mixture = (self._mixture(features) * experts.detach()).sum(dim=1)
            return {
                'loss_experts': (self._weights(efs) * errors).mean(dim=0).sum(),
                'loss_mixture': ((mixture - efs) / self.std).square().mean(),
            }

    def _experts(self, features: Tensor) -> Tensor:
        """(N, C) -> (N, M), per cent."""
        experts: Tensor = self.mean + self.std * self.experts(features)
        return experts

    def _mixture(self, features: Tensor) -> Tensor:
        """(N, C) -> (N, M), positive, with sum 1."""
        mixture: Tensor = self.aggregator(features).softmax(dim=1)
        return mixture

    def _weights(self, efs: Tensor) -> Tensor:
        """Weights of recordings for each expert, (N,) -> (N, M)."""
        position = (efs - 0.5).clamp(0, _BINS - 1)
        low = position.floor().long().clamp(max=_BINS - 2)
        counts = torch.lerp(self.count_of_bin[low], self.count_of_bin[low + 1], position - low)
        powers = counts.new_tensor(self.powers)
        return counts[:, None] ** -powers / self.mean_weight
