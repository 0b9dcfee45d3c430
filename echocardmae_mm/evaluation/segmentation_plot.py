"""Plot predicted and true outlines on frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.figure import Figure

#: Default colours of the labels 1, 2 and 3.
COLOURS = ((230, 75, 53), (77, 187, 213), (0, 160, 135))
_HUES: dict[tuple[int, ...], str] = dict(zip(COLOURS, ('red', 'blue', 'green')))
_COLUMNS = 4
_SIDE = 336  # Longer side of an enlarged frame in pixels, for fine lines.


class Segmented(NamedTuple):
    """A frame with its labels.

    Args:
        frame (np.ndarray): uint8 RGB of shape (H, W, 3).
        predicted (np.ndarray): Labels, (H, W).
        true (np.ndarray, optional): Labels, (H, W); None if the frame is not traced.
        title (str): Title of the frame.
    """

    frame: np.ndarray
    predicted: np.ndarray
    true: np.ndarray | None
    title: str


def draw_outlines(
    frame: np.ndarray,
    labels: np.ndarray,
    colours: Sequence[Sequence[int]] = COLOURS,
    width: int = 1,
) -> np.ndarray:
    """Draw the outline of each structure on a frame.

    Args:
        frame (np.ndarray): uint8 RGB of shape (H, W, 3).
        labels (np.ndarray): Labels, (H, W); 0 and 255 are not drawn.
        colours (Sequence[Sequence[int]]): RGB of the labels 1, 2, ... Defaults to :data:`COLOURS`.
        width (int): Width of the lines in pixels. Defaults to 1.

    Returns:
        np.ndarray: A new frame.
    """
    drawn = np.ascontiguousarray(frame.copy())
    for label, colour in enumerate(colours, start=1):
        mask = (labels == label).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, tuple(map(int, colour)), width, cv2.LINE_AA)
    return drawn


def segmentation_plot(
    frames: Sequence[Segmented],
    classes: Sequence[str],
    colours: Sequence[Sequence[int]] = COLOURS,
) -> Figure:
    """Plot frames with predicted outlines in colour and true outlines white and dotted.

    Args:
        frames (Sequence[Segmented]): The frames.
        classes (Sequence[str]): Names of the labels, the background first.
        colours (Sequence[Sequence[int]]): RGB of the labels 1, 2, ... Defaults to :data:`COLOURS`.
    """
    columns = min(_COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.75 * rows + 0.5), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, shown in zip(axes, frames):
        scale = max(1, round(_SIDE / max(shown.frame.shape[:2])))
        size = shown.frame.shape[1] * scale, shown.frame.shape[0] * scale
        frame = cv2.resize(shown.frame, size, interpolation=cv2.INTER_CUBIC)
        axis.imshow(draw_outlines(frame, _enlarged(shown.predicted, size), colours, 2))
        if shown.true is not None:
            true = _enlarged(shown.true, size)
            for label in range(1, len(classes)):
                mask = true == label
                if mask.any():
                    axis.contour(mask, [0.5], colors='white', linewidths=0.9, linestyles=':')
        axis.set_title(shown.title, fontsize=8)
    named = ', '.join(
        f'{name} {_HUES.get(tuple(colour), tuple(colour))}'
        for name, colour in zip(classes[1:], colours)
    )
    figure.suptitle(f'predicted: {named}; true: white, dotted', fontsize=9)
    return figure


def _enlarged(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge labels, with smooth edges."""
    values = np.unique(labels)
    masks = [(labels == value).astype(np.float32) for value in values]
    shares = [cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) for mask in masks]
    return values[np.argmax(shares, axis=0)]
