"""Resize the frames of a clip."""

from __future__ import annotations

from typing import Any

from mmaction.datasets.transforms import Resize

from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class ResizeFrames(Resize):
    """:class:`mmaction.Resize` that skips frames already of the right size.

    Args:
        scale (tuple[int, int] | float): Width and height in pixels, or a factor.
        **kwargs (Any): Arguments of :class:`mmaction.Resize`: ``keep_ratio`` and ``interpolation``.

    Raises:
        UserError: If the scale is not positive.
    """

    def __init__(self, scale: tuple[int, int] | float, **kwargs: Any) -> None:
        super().__init__(scale, **kwargs)
        if isinstance(self.scale, tuple) and min(self.scale) <= 0:
            raise UserError(f'ResizeFrames: scale={scale} must be positive')

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize ``imgs`` if needed."""
        if not self.keep_ratio and tuple(results['img_shape']) == tuple(self.scale[::-1]):
            return results
        return super().transform(results)
