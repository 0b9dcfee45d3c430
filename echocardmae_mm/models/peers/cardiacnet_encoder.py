"""CardiacNet's encoder and classifier, without the reconstruction of its training."""

from __future__ import annotations

from itertools import pairwise

from mmengine.model import BaseModule
from torch import Tensor, nn

from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class CardiacNetEncoder(BaseModule):
    """A residual 3-D network on grey clips that keeps every frame, and a strided convolution.

    Four stages halve the frames. The encoder gives (B, 256, T, H / 16, W / 16); the convolution of
    the classifier, with ReLU, doubles the channels. The mean and the linear layer of the classifier
    are those of :class:`EFHead`. These are the layers of CardiacNet (Yang et al., ECCV 2024;
    xmed-lab/CardiacNet, MIT), which trains two such encoders as parts of adversarial autoencoders
    with a codebook.

    CardiacNet reads one grey channel, scaled to [-1, 1]. Set mean and standard deviation of the
    data preprocessor to 127.5; the encoder averages the colour channels.

    Args:
        base_channels (int): Width C of the first convolution, a multiple of 16. Defaults to 64.
        init_cfg (dict, optional): Initialisation. Defaults to None, torch's.

    Example:
        >>> import torch
        >>> encoder = CardiacNetEncoder(base_channels=16)
        >>> encoder(torch.randn(2, 3, 8, 56, 56)).shape
        torch.Size([2, 128, 3, 1, 1])
    """

    def __init__(self, base_channels: int = 64, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        widths = [base_channels * factor for factor in (1, 2, 2, 4, 4)]
        layers: list[nn.Module] = [nn.Conv3d(1, widths[0], 3, padding=1)]
        for before, after in pairwise(widths):
            layers.append(nn.Conv3d(before, after, 3, stride=(1, 2, 2), padding=1))
            layers.append(_ResidualBlock(after))
        self.encoder = nn.Sequential(*layers, *_activated_convolution(widths[-1]))
        self.classifier = nn.Sequential(
            nn.Conv3d(widths[-1], 2 * widths[-1], 3, stride=2), nn.ReLU(inplace=True)
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Compute the map that the classifier averages.

        Args:
            clips (Tensor): (B, 3, T, H, W).

        Returns:
            Tensor: (B, 8 * C, t, h, w), where t is (T - 1) // 2.

        Raises:
            UserError: If the clips are too small for the classifier.
        """
        if clips.shape[2] < 3 or min(clips.shape[3:]) < 33:
            frames, height, width = clips.shape[2:]
            raise UserError(
                f'CardiacNetEncoder: clips have {frames} frames of {height} x {width} pixels, '
                'expected at least 3 frames of 33 x 33 pixels'
            )
        grey = clips.mean(dim=1, keepdim=True)  # (B, 1, T, H, W)
        features: Tensor = self.classifier(self.encoder(grey))
        return features


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_activated_convolution(channels), *_activated_convolution(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def _activated_convolution(channels: int) -> tuple[nn.Module, ...]:
    norm = nn.GroupNorm(32, channels, eps=1e-6)
    return norm, nn.SiLU(), nn.Conv3d(channels, channels, 3, padding=1)
