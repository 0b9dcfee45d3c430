"""The temporal-invariant alignment loss between two clips of a video (section 2.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.dist import get_rank, get_world_size
from mmengine.model import BaseModule
from torch import Tensor
from torch.distributed.nn.functional import all_gather

from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class AlignmentHead(BaseModule):
    """InfoNCE between two clips of a video, with the other videos of the batch as negatives, Eq. 2.

    The head has no parameters and takes plain features, so any model can use it. In distributed
    training each process compares its own videos with those of all processes; the averaged
    gradients equal those of one process on the whole batch. Always computed in float32.

    Args:
        temperature (float): tau of Eq. 2. Defaults to 0.1.
        loss_weight (float): Weight of the loss, lambda of Eq. 1. Defaults to 0.2.
        include_positive (bool): Whether the denominator includes the positive pair, as in the
            released code; Eq. 2 as printed excludes it. Defaults to False.
        symmetric (bool): Whether both clips serve as anchors, as in the released code; in Eq. 2
            only the first does. Defaults to False.
        normalize (bool): Whether to scale features to unit length first, as in the released code;
            Eq. 2 as printed does not. Defaults to True.

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import AlignmentHead
        >>> features = torch.eye(4)  # four videos, orthogonal features, equal clips
        >>> AlignmentHead(temperature=1.0, loss_weight=1.0)(features, features)  # ln(3) - 1
        tensor(0.0986)
    """

    def __init__(
        self,
        temperature: float = 0.1,
        loss_weight: float = 0.2,
        include_positive: bool = False,
        symmetric: bool = False,
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.include_positive = include_positive
        self.symmetric = symmetric
        self.normalize = normalize

    def forward(self, features_1: Tensor, features_2: Tensor) -> Tensor:
        """Compute the weighted loss.

        Args:
            features_1 (Tensor): Features of each video's first clip, (B, C), of any norm.
            features_2 (Tensor): Features of its second clip, (B, C).

        Returns:
            Tensor: float32 scalar.

        Raises:
            UserError: If there are fewer than two videos in total.
        """
        with torch.autocast(features_1.device.type, enabled=False):
            first, second = features_1.float(), features_2.float()
            if self.normalize:
                first, second = F.normalize(first, dim=-1), F.normalize(second, dim=-1)
            loss = self._contrast(first, second)
            if self.symmetric:
                loss = (loss + self._contrast(second, first)) / 2
        return self.loss_weight * loss

    def _contrast(self, anchors: Tensor, partners: Tensor) -> Tensor:
        own = torch.arange(len(anchors), device=anchors.device).unsqueeze(1)
        if get_world_size() > 1:
            own = own + get_rank() * len(anchors)
            partners = torch.cat(all_gather(partners))
        if len(partners) < 2:
            raise UserError(
                'the alignment loss needs at least two videos per batch but got one: set '
                'batch_size=2 or more and drop_last=True in the dataloader'
            )
        similarity = anchors @ partners.T / self.temperature
        positive = similarity.gather(1, own).squeeze(1)
        if not self.include_positive:
            similarity = similarity.scatter(1, own, float('-inf'))
        return (similarity.logsumexp(1) - positive).mean()
