"""Resize the frames of a clip."""

from __future__ import annotations

from typing import Any

from mmaction.datasets.transforms import Resize

from echocardmae_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ResizeFrames(Resize):
    """:class:`mmaction.Resize` that skips frames already of the right size.

    Args:
        **kwargs (Any): Arguments of :class:`mmaction.Resize`: ``scale`` (width and height in
            pixels), ``keep_ratio`` and ``interpolation``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize ``imgs`` if needed."""
        if not self.keep_ratio and tuple(results['img_shape']) == tuple(self.scale[::-1]):
            return results
        return super().transform(results)
