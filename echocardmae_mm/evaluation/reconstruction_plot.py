"""Plot the input, the prediction and the target of pretraining."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

_HIDDEN_GREY = 70.0


def reconstruction_plot(
    clips: Tensor,
    target: Tensor,
    reconstruction: Tensor,
    masked: Tensor,
    token_size: tuple[int, int],
    columns: int = 4,
    title: str = '',
) -> Figure:
    """Plot input, masked input, prediction and target of one clip, one column per frame.

    Args:
        clips (Tensor): Input clip in 0-255, of shape (3, T, H, W).
        target (Tensor): Reconstruction target, like ``clips``.
        reconstruction (Tensor): Input with predicted patches, like ``clips``.
        masked (Tensor): Tokens hidden from the encoder, bool of shape (N,).
        token_size (tuple[int, int]): Number of frames and height in pixels of a token.
        columns (int): Number of frames, evenly spaced. Defaults to 4.
        title (str): Title of the plot. Defaults to ''.
    """
    rows = {
        'input': clips,
        'visible to the encoder': _hide(clips, masked, token_size),
        'prediction': reconstruction,
        'target': target,
    }
    shown = np.linspace(0, clips.shape[1] - 1, columns).round().astype(int).tolist()
    figure = Figure(figsize=(1.9 * len(shown) + 1.2, 1.95 * len(rows) + 0.4), layout='constrained')
    axes = figure.subplots(len(rows), len(shown), squeeze=False)
    for row, (name, video) in zip(axes, rows.items()):
        row[0].set_ylabel(name, fontsize=10)
        for axis, frame in zip(row, shown):
            pixels = video[:, frame].permute(1, 2, 0).clamp(0, 255).round()
            axis.imshow(pixels.cpu().numpy().astype(np.uint8))
            axis.set(xticks=[], yticks=[])
    for axis, frame in zip(axes[0], shown):
        axis.set_title(f'frame {frame}', fontsize=10)
    figure.suptitle(title, fontsize=10)
    return figure


def _hide(clip: Tensor, masked: Tensor, token_size: tuple[int, int]) -> Tensor:
    frames, side = token_size
    _, num_frames, height, width = clip.shape
    hidden = masked.to(clip.device).view(num_frames // frames, height // side, width // side)
    for dim, length in enumerate((frames, side, side)):  # (t, h, w) -> (T, H, W)
        hidden = hidden.repeat_interleave(length, dim)
    return clip.float().masked_fill(hidden, _HIDDEN_GREY)
