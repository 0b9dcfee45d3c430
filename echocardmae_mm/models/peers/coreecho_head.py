"""CoReEcho's regression head."""

from __future__ import annotations

from typing import Any

from torch import nn

from echocardmae_mm.models.ef_head import EFHead
from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class CoReEchoHead(EFHead):
    """:class:`EFHead` on a hidden layer with batch normalisation and dropout.

    The layers are those of CoReEcho (Maani et al., "CoReEcho", MICCAI 2024; released under CC BY-NC
    4.0, so this is written from their description): BN, dropout, linear, BN, GELU, dropout, linear.

    Args:
        in_channels (int): Width C of the features. Defaults to 512, UniFormer-S.
        dropout (float): Probability of both dropouts. Defaults to 0.4.
        **kwargs (Any): Further arguments of :class:`EFHead`.
    """

    def __init__(self, in_channels: int = 512, dropout: float = 0.4, **kwargs: Any) -> None:
        super().__init__(in_channels=in_channels, **kwargs)
        # (B, C) -> (B, C)
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(in_channels),
            nn.Dropout(dropout),
            nn.Linear(in_channels, in_channels),
            nn.BatchNorm1d(in_channels),
            nn.GELU(),
            nn.Dropout(dropout),
        )
