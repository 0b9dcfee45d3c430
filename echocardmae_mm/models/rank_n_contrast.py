"""Rank-N-Contrast, a loss that orders features by a continuous label."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor

from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class RankNContrastLoss(BaseModule):
    """Order the distances between features like the distances between their labels.

    For an anchor i, every other clip j is a positive once. Its denominator contains the clips k
    whose labels are at least as far from that of i as the label of j (Zha et al.,
    "Rank-N-Contrast", NeurIPS 2023, Eq. 1 and 2):

        -log(exp(s_ij / tau) / sum of exp(s_ik / tau) over k != i with |y_i - y_k| >= |y_i - y_j|),

    where s is the negative L2 distance; the loss is the mean over all pairs. Always computed in
    float32, over the clips of one process. Sorting the clips by label makes the denominators
    cumulative sums, so time and memory are quadratic.

    Args:
        temperature (float): tau. Defaults to 2.0.
        loss_weight (float): Weight of the loss. Defaults to 1.0.

    Raises:
        UserError: If ``temperature`` is not positive.
    """

    def __init__(self, temperature: float = 2.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise UserError(f'RankNContrastLoss: temperature={temperature} must be positive')
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Compute the weighted loss.

        Args:
            features (Tensor): (N, C), not normalised.
            labels (Tensor): (N,), in any unit.

        Returns:
            Tensor: float32 scalar; 0 for a single clip, which has no pair.
        """
        with torch.autocast(features.device.type, enabled=False):
            features, labels = features.float(), labels.float()
            if len(features) < 2:
                return 0.0 * features.sum()
            # The faster mode loses small distances to cancellation.
            distance = torch.cdist(features, features, compute_mode='donot_use_mm_for_euclid_dist')
            logits = _off_diagonal(-distance / self.temperature)
            nearness = -_off_diagonal((labels[:, None] - labels).abs())
            nearness, order = nearness.sort(dim=1)
            logits = logits.gather(1, order)
            # The denominator includes ties with the positive.
            last = torch.searchsorted(nearness, nearness, right=True) - 1
            denominator = logits.logcumsumexp(dim=1).gather(1, last)
            return self.loss_weight * (denominator - logits).mean()


def _off_diagonal(square: Tensor) -> Tensor:
    """Remove the diagonal: (N, N) -> (N, N - 1)."""
    size = len(square)
    others = ~torch.eye(size, dtype=torch.bool, device=square.device)
    return square[others].view(size, size - 1)
