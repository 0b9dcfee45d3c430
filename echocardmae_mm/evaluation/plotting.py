"""Building blocks of plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def open_axes(width: float, height: float, *shape: int, **options: Any) -> tuple[Figure, Any]:
    """Create a figure of a size in inches, and its subplots without top and right spines."""
    figure = Figure(figsize=(width, height), layout='constrained')
    axes = figure.subplots(*shape, **options)
    for axis in np.ravel(axes):
        axis.spines[['top', 'right']].set_visible(False)
    return figure, axes


def boxes_with_points(axis: Axes, groups: Sequence[np.ndarray], labels: Sequence[str]) -> None:
    """Draw a box plot of each group, with its values as scattered points.

    Args:
        axis (Axes): Where to draw.
        groups (Sequence[np.ndarray]): Values of each group, possibly empty.
        labels (Sequence[str]): Label of each group.
    """
    for place, values in enumerate(groups):
        if not len(values):
            continue
        axis.boxplot(
            values,
            positions=[place],
            widths=0.5,
            showfliers=False,
            medianprops=dict(color='tab:red', linewidth=1.6),
        )
        jitter = place + 0.16 * np.sin(np.arange(len(values)) * 2.4)
        axis.scatter(jitter, values, s=12, color='tab:blue', alpha=0.4, linewidths=0)
    axis.set_xticks(range(len(labels)), labels)
    axis.set_xlim(-0.6, len(labels) - 0.4)
