"""EchoMEN's contrastive loss, which separates recordings by the distance of their labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from scipy.stats import rankdata
from torch import Tensor, nn

from echocardmae_mm.registry import MODELS

_BINS_PER_PERCENT = 20


@MODELS.register_module()
class LabelDistanceContrastLoss(BaseModule):
    """Supervised contrast with a margin that grows with the distance of the labels.

    With the normalised projection z_i and the mid-rank r_i of the label among the N recordings of
    the training set, the logits are

        s_ij = scale (z_i z_j + m_ij),  m_ij = min(margin, 2 |r_i - r_j| / N),

    and the loss is the mean over anchors i, and over their positives p, of
    ``-(s_ip - logsumexp over j != i of s_ij)``. Positives have the same label, to 0.05 %, such as
    two views of a recording. This is Eq. 1 of EchoMEN (Lai et al., MICCAI 2024) with tau = 1/scale
    and an unnormalised beta = exp(scale m), as its released code calls it; the class itself is
    missing there and is that of AdaCon (Dai et al., IEEE TMI 2021; MIT). EchoMEN's repository has
    no licence, so this is written from the formulas. Always in float32, over the clips of one
    process.

    Args:
        in_channels (int): Width C of the features. Defaults to 512.
        hidden_channels (int): Width of the projector's hidden layer. Defaults to 512.
        out_channels (int): Width of the projection. Defaults to 128.
        scale (float): Factor of the logits. Defaults to 150.
        margin (float): Largest margin. Defaults to 2.
        loss_weight (float): Weight of the loss. Defaults to 0.75.
    """

    rank_of_bin: Tensor

    def __init__(
        self,
        in_channels: int = 512,
        hidden_channels: int = 512,
        out_channels: int = 128,
        scale: float = 150.0,
        margin: float = 2.0,
        loss_weight: float = 0.75,
    ) -> None:
        super().__init__()
        self.projector = nn.Sequential(
            nn.Linear(in_channels, hidden_channels),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_channels, out_channels),
        )
        self.scale = scale
        self.margin = margin
        self.loss_weight = loss_weight
        # Without a training set, ranks are the labels themselves.
        self.register_buffer('rank_of_bin', torch.linspace(0, 1, 100 * _BINS_PER_PERCENT + 1))

    def fit_targets(self, efs: Sequence[float] | np.ndarray) -> None:
        """Set the ranks of all labels.

        Args:
            efs (Sequence[float]): EF of each recording of the training set, in per cent.
        """
        bins = _bin_of(torch.as_tensor(np.asarray(efs, np.float64))).numpy()
        share = rankdata(bins) / len(bins)
        found, first = np.unique(bins, return_index=True)
        ranks = np.interp(np.arange(len(self.rank_of_bin)), found, share[first])
        self.rank_of_bin.copy_(torch.from_numpy(ranks))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Compute the weighted loss.

        Args:
            features (Tensor): (N, C).
            labels (Tensor): EF of shape (N,), in per cent.

        Returns:
            Tensor: float32 scalar; 0 if no clip has a positive.
        """
        with torch.autocast(features.device.type, enabled=False):
            projected = F.normalize(self.projector(features.float()), dim=1)
            bins = _bin_of(labels)
            ranks = self.rank_of_bin[bins]
            same = bins[:, None] == bins  # (N, N)
            margins = (2 * (ranks[:, None] - ranks).abs()).clamp(max=self.margin)
            logits = self.scale * (projected @ projected.T + margins)
            itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
            others = logits.masked_fill(itself, -torch.inf).logsumexp(dim=1, keepdim=True)
            positives = same & ~itself
            counts = positives.sum(dim=1)
            losses = ((others - logits) * positives).sum(dim=1) / counts.clamp(min=1)
            anchors = counts > 0
            return self.loss_weight * losses[anchors].sum() / anchors.sum().clamp(min=1)


def _bin_of(efs: Tensor) -> Tensor:
    return (efs * _BINS_PER_PERCENT).round().long().clamp(0, 100 * _BINS_PER_PERCENT)
