"""A picture of what the model saw, guessed and should have guessed."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from echocardmae_mm.models.patches import patchify, unpatchify

_HIDDEN_GREY = 70.0


def reconstruction_picture(
    clips: Tensor,
    target: Tensor,
    reconstruction: Tensor,
    masked: Tensor,
    token_size: tuple[int, int],
    columns: int = 4,
    title: str = '',
) -> Figure:
    """Draws input, masked input, prediction and target of one clip, a column for each frame.

    Args:
        clips (Tensor): Input clip in 0-255, of shape (3, T, H, W).
        target (Tensor): What was to be reconstructed, as ``clips``.
        reconstruction (Tensor): Predicted patches over the input, as ``clips``.
        masked (Tensor): Tokens hidden from the encoder, bool of shape (N,).
        token_size (tuple[int, int]): Frames of a token, and its side in pixels.
        columns (int): How many frames to draw, evenly spaced. Defaults to 4.
        title (str): Written above the picture. Defaults to ''.

    Returns:
        Figure: The picture; nothing is shown or saved.
    """
    rows = {
        'input': clips,
        'what the encoder sees': _hide(clips, masked, token_size),
        'prediction': reconstruction,
        'target': target,
    }
    shown = np.linspace(0, clips.shape[1] - 1, columns).round().astype(int).tolist()
    figure = Figure(figsize=(1.9 * len(shown) + 1.2, 1.95 * len(rows) + 0.4), layout='constrained')
    axes = figure.subplots(len(rows), len(shown), squeeze=False)
    for row, (name, video) in zip(axes, rows.items()):
        row[0].set_ylabel(name, fontsize=10)
        for axis, frame in zip(row, shown):
            axis.imshow(_frame(video, frame))
            axis.set(xticks=[], yticks=[])
    for axis, frame in zip(axes[0], shown):
        axis.set_title(f'frame {frame}', fontsize=10)
    figure.suptitle(title, fontsize=10)
    return figure


def _hide(clip: Tensor, masked: Tensor, token_size: tuple[int, int]) -> Tensor:
    tubelet_size, patch_size = token_size
    tokens = patchify(clip[None].float(), patch_size, tubelet_size)
    tokens[0, masked.to(tokens.device)] = _HIDDEN_GREY
    height, width = clip.shape[-2:]
    return unpatchify(tokens, patch_size, tubelet_size, (height, width))[0]


def _frame(clip: Tensor, frame: int) -> np.ndarray:
    pixels = clip[:, frame].permute(1, 2, 0).clamp(0, 255).round()
    return pixels.cpu().numpy().astype(np.uint8)
