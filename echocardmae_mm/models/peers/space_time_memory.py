"""The space-time memory of MemSAM."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
import torchvision
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from echocardmae_mm.registry import MODELS

_RESNET_WIDTH = 128  # of ResNet-18 after its second stage


class MemoryKeys(NamedTuple):
    """Keys of N frames of h x w places, by which the memory compares them.

    Args:
        key (Tensor): (B, N, K, h, w).
        shrinkage (Tensor): Sharpness of the similarity, at least 1; (B, N, 1, h, w).
        selection (Tensor): Weight of each channel, in (0, 1); (B, N, K, h, w).
    """

    key: Tensor
    shrinkage: Tensor
    selection: Tensor


@MODELS.register_module()
class SpaceTimeMemory(BaseModule):
    """Remember the masks of past frames, and turn them into a dense prompt for the next.

    The memory is that of XMem (Cheng and Schwing, ECCV 2022, hkchengrex/XMem, MIT) on SAM's image
    embeddings, with the reinforcement of MemSAM (Deng et al., CVPR 2024; dengxl0520/MemSAM, MIT).
    It follows the code, which reinforces by the logits of the mask; the paper says by its
    probabilities.

    Args:
        embed_dims (int): Width C of the image embedding. Defaults to 256.
        key_dims (int): Width K of a key. Defaults to 64.
        value_dims (int): Width V of a value. Defaults to 256.
        hidden_dims (int): Width D of the hidden state. Defaults to 64.
        fusion_dims (int): Width inside the fusion of embedding and memory. Defaults to 512.
        resnet_weights (str, optional): torchvision's name of the initial weights of the ResNet-18,
            ``'IMAGENET1K_V1'`` in MemSAM. Defaults to None, random.
        norm_cfg (dict, optional): Normalisation of the ResNet-18. Defaults to None, batch
            normalisation.
        init_cfg (dict, optional): Initialisation. Defaults to None, torch's.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        key_dims: int = 64,
        value_dims: int = 256,
        hidden_dims: int = 64,
        fusion_dims: int = 512,
        resnet_weights: str | None = None,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.hidden_dims = hidden_dims
        self.key_proj = nn.Conv2d(embed_dims, key_dims, 3, padding=1)
        self.d_proj = nn.Conv2d(embed_dims, 1, 3, padding=1)
        self.e_proj = nn.Conv2d(embed_dims, key_dims, 3, padding=1)
        nn.init.orthogonal_(self.key_proj.weight)
        nn.init.zeros_(self.key_proj.get_parameter('bias'))
        self.reinforcement = nn.Sequential(
            nn.Conv2d(embed_dims + 1, embed_dims // 2, 3, padding=1),
            nn.Conv2d(embed_dims // 2, embed_dims, 1),
        )
        self.value_encoder = nn.Sequential(
            *_resnet_stages(resnet_weights, norm_cfg or dict(type='BN'))
        )
        self.value_fusion = FeatureFusion(_RESNET_WIDTH + embed_dims, value_dims, value_dims)
        self.value_gru = GatedUpdate(value_dims, hidden_dims)
        self.prompt_fusion = FeatureFusion(
            embed_dims + value_dims + hidden_dims, fusion_dims, embed_dims
        )
        self.prompt_gru = GatedUpdate(embed_dims, hidden_dims)

    def keys(self, embeddings: Tensor) -> MemoryKeys:
        """Compute the keys of N frames from their embeddings, (B, N, C, h, w)."""
        frames = embeddings.flatten(0, 1)
        parts = (
            self.key_proj(frames),
            self.d_proj(frames).square() + 1,
            self.e_proj(frames).sigmoid(),
        )
        return MemoryKeys(*(part.unflatten(0, embeddings.shape[:2]) for part in parts))

    def read(self, query: MemoryKeys, memory: MemoryKeys, values: Tensor) -> Tensor:
        """Average the values by the similarity of their keys to those of a frame.

        Args:
            query (MemoryKeys): Keys of one frame.
            memory (MemoryKeys): Keys of N frames.
            values (Tensor): (B, N, V, h, w).

        Returns:
            Tensor: (B, V, h, w).
        """
        asked = query.key.flatten(3)[:, 0]  # (B, K, hw)
        weight = query.selection.flatten(3)[:, 0]
        stored = memory.key.flatten(3).transpose(2, 3).flatten(1, 2)  # (B, N hw, K)
        # -sum over channels of weight (stored - asked)^2
        similarity = 2 * stored @ (asked * weight) - stored.square() @ weight
        similarity = similarity - (weight * asked.square()).sum(dim=1, keepdim=True)
        sharpness = memory.shrinkage.flatten(1)[:, :, None] / math.sqrt(stored.shape[2])
        affinity = (similarity * sharpness).softmax(dim=1)  # (B, N hw, hw)
        remembered = values.transpose(1, 2).flatten(2) @ affinity
        return remembered.unflatten(2, values.shape[3:])

    def prompt(self, embedding: Tensor, readout: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse a frame with the memory.

        Args:
            embedding (Tensor): (B, C, h, w).
            readout (Tensor): From :meth:`read`, (B, V, h, w).
            hidden (Tensor): Hidden state, (B, D, h, w).

        Returns:
            tuple[Tensor, Tensor]: Dense prompt (B, C, h, w) and the next hidden state.
        """
        dense = self.prompt_fusion(torch.cat([embedding, readout, hidden], dim=1))
        return dense, self.prompt_gru(dense, hidden)

    def write(
        self, image: Tensor, embedding: Tensor, mask: Tensor, hidden: Tensor, updates_hidden: bool
    ) -> tuple[Tensor, Tensor]:
        """Encode a segmented frame.

        Args:
            image (Tensor): (B, 3, S, S).
            embedding (Tensor): (B, C, h, w), where h and w are S / 8.
            mask (Tensor): Logits, (B, 1, S, S).
            hidden (Tensor): Hidden state, (B, D, h, w).
            updates_hidden (bool): Whether to update the hidden state.

        Returns:
            tuple[Tensor, Tensor]: Value (B, V, h, w) and the hidden state.
        """
        small = F.interpolate(mask, embedding.shape[2:])
        attention = self.reinforcement(torch.cat([small, embedding], dim=1)).softmax(dim=1)
        # The last channel of XMem holds the masks of other objects.
        seen = self.value_encoder(torch.cat([image, mask, torch.zeros_like(mask)], dim=1))
        value = self.value_fusion(torch.cat([attention * small, seen], dim=1))
        return value, self.value_gru(value, hidden) if updates_hidden else hidden


class FeatureFusion(nn.Module):
    """Two residual blocks with attention to channels and places (CBAM) between them.

    The channels between the blocks are a multiple of 16.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__()
        self.block1 = ResidualBlock(in_channels, mid_channels)
        self.channel_gate = nn.Sequential(
            nn.Linear(mid_channels, mid_channels // 16),
            nn.ReLU(),
            nn.Linear(mid_channels // 16, mid_channels),
        )
        self.spatial_gate = nn.Conv2d(2, 1, 7, padding=3)
        self.block2 = ResidualBlock(mid_channels, out_channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C_in, h, w) -> (B, C_out, h, w)."""
        maps = self.block1(maps)
        pooled = self.channel_gate(maps.mean((2, 3))) + self.channel_gate(maps.amax((2, 3)))
        gated = maps * pooled.sigmoid()[:, :, None, None]
        places = torch.cat([gated.amax(1, keepdim=True), gated.mean(1, keepdim=True)], dim=1)
        return self.block2(maps + gated * self.spatial_gate(places).sigmoid())


class ResidualBlock(nn.Module):
    """Two convolutions, each after a ReLU, beside a shortcut."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.downsample = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 3, padding=1)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C_in, h, w) -> (B, C_out, h, w)."""
        return self.conv2(F.relu(self.conv1(F.relu(maps)))) + self.downsample(maps)


class GatedUpdate(nn.Module):
    """XMem's convolutional GRU, whose new value does not depend on the forget gate."""

    def __init__(self, in_channels: int, hidden_dims: int) -> None:
        super().__init__()
        self.transform = nn.Conv2d(in_channels + hidden_dims, 3 * hidden_dims, 3, padding=1)
        nn.init.xavier_normal_(self.transform.weight)

    def forward(self, maps: Tensor, hidden: Tensor) -> Tensor:
        """(B, C, h, w) and the hidden state (B, D, h, w) -> the next hidden state."""
        forget, update, new = self.transform(torch.cat([maps, hidden], dim=1)).chunk(3, dim=1)
        update = update.sigmoid()
        return forget.sigmoid() * hidden * (1 - update) + update * new.tanh()


def _resnet_stages(weights: str | None, norm_cfg: dict) -> list[nn.Module]:
    """ResNet-18 to its second stage, for image, mask and masks of others: 5 channels."""
    resnet = torchvision.models.resnet18(
        weights=weights, norm_layer=lambda channels: build_norm_layer(norm_cfg, channels)[1]
    )
    kernel = resnet.conv1.weight.data
    resnet.conv1 = nn.Conv2d(5, len(kernel), 7, stride=2, padding=3, bias=False)
    nn.init.orthogonal_(resnet.conv1.weight)
    resnet.conv1.weight.data[:, :3] = kernel
    return [
        resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool, resnet.layer1, resnet.layer2,
    ]  # fmt: skip
