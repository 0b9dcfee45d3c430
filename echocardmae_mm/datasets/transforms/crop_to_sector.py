"""From any screen to the encoder's view."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.utils.errors import RecordingError, UserError


class Box(NamedTuple):
    """Part of a frame in pixels; it may reach beyond the frame. Right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """This part of an image (H, W) or (H, W, C), black beyond the image."""
        height, width = image.shape[:2]
        inside = image[max(self.top, 0) : self.bottom, max(self.left, 0) : self.right]
        above, before = max(-self.top, 0), max(-self.left, 0)
        below, after = max(self.bottom - height, 0), max(self.right - width, 0)
        return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT)

    def put_back(self, part: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """An image (H, W) of zeros with this part in its place, the inverse of :meth:`cut`."""
        whole = np.zeros(shape, part.dtype)
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.bottom, shape[0]), min(self.right, shape[1])
        whole[top:bottom, left:right] = part[
            top - self.top : bottom - self.top, left - self.left : right - self.left
        ]
        return whole


@TRANSFORMS.register_module()
class CropToSector(BaseTransform):
    """Make the screen of any scanner look like what the encoder was trained on.

    The sector is detected within the ultrasound region, if the recording knows one, and cut out by
    the square around it; where the square leaves the frame it is black. It is a square in mm, so
    that the heart is not squashed, also where pixels are not square. Place it between
    ``RecordingDecode`` and ``FormatShape``. With ``size`` it replaces ``Resize``, which would not
    adapt ``sector_mask`` and ``spacing``.

    Required Keys:

        - imgs (list[np.ndarray]): Frames, uint8 RGB of shape (H, W, 3).
        - region (tuple[int, int, int, int] | None, optional): Left, top, right, bottom of the
          ultrasound image in pixels, right and bottom exclusive.
        - spacing (tuple[float, float] | None, optional): Height and width of a pixel in mm.

    Modified Keys:

        - imgs
        - img_shape
        - spacing

    Added Keys:

        - sector_mask (bool (H, W)): The sector in the new frames.

    Args:
        size (int, optional): Height and width of the new frames in pixels, by area interpolation
            where they shrink and by linear where they grow; by default the cut keeps the pixels of
            the screen. Defaults to None.
        black_outside (bool): Whether pixels outside the sector are set to black. Defaults to True.
    """

    def __init__(self, size: int | None = None, black_outside: bool = True) -> None:
        if size is not None and size < 1:
            raise UserError(f'CropToSector: size={size} must be at least 1 pixel')
        self.size = size
        self.black_outside = black_outside

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut the sector out of every frame.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            UserError: If the frames have been formatted already.
            RecordingError: If no sector is seen.
        """
        frames = results['imgs']
        if frames[0].ndim != 3:
            raise UserError(
                'CropToSector needs a list of frames (H, W, 3): put it before FormatShape'
            )
        box, mask = find_sector_box(
            frames,
            results.get('filename', 'recording'),
            results.get('region'),
            results.get('spacing'),
        )
        sector = self._resize(box.cut(mask.astype(np.float32))) >= 0.5
        cropped = [self._resize(box.cut(frame)) for frame in frames]
        if self.black_outside:
            for frame in cropped:
                frame[~sector] = 0

        results['imgs'] = cropped
        results['img_shape'] = sector.shape
        results['sector_mask'] = sector
        if results.get('spacing'):
            row, column = results['spacing']
            results['spacing'] = (
                row * (box.bottom - box.top) / sector.shape[0],
                column * (box.right - box.left) / sector.shape[1],
            )
        return results

    def _resize(self, image: np.ndarray) -> np.ndarray:
        if self.size is None:
            return image
        shrinks = max(image.shape[:2]) > self.size
        kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(image, (self.size, self.size), interpolation=kind)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, black_outside={self.black_outside})'


def find_sector_box(
    frames: list[np.ndarray],
    filename: str,
    region: tuple[int, int, int, int] | None = None,
    spacing: tuple[float, float] | None = None,
) -> tuple[Box, np.ndarray]:
    """Find the sector of a recording, and the square around it.

    Args:
        frames (list[np.ndarray]): Some of its frames, uint8 RGB of shape (H, W, 3).
        filename (str): What messages call it.
        region (tuple[int, int, int, int], optional): Where the ultrasound image lies on the screen:
            left, top, right, bottom in pixels. Defaults to None, anywhere.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None, pixels are square.

    Returns:
        tuple[Box, np.ndarray]: The smallest box, square in mm, that has the sector in its middle,
        and the sector, bool of shape (H, W).

    Raises:
        RecordingError: If no sector is seen.
    """
    height, width = frames[0].shape[:2]
    left, top, right, bottom = region or (0, 0, width, height)
    part = slice(top, bottom), slice(left, right)
    mask = np.zeros((height, width), bool)
    try:
        mask[part] = detect_sector([frame[part] for frame in frames])
    except ValueError as error:
        raise RecordingError(filename, str(error)) from error
    return _square_around(mask, spacing or (1.0, 1.0)), mask


def _square_around(mask: np.ndarray, spacing: tuple[float, float]) -> Box:
    """The smallest box, square in mm, that has the sector in its middle."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    row, column = spacing
    side = max((rows[-1] - rows[0] + 1) * row, (columns[-1] - columns[0] + 1) * column)
    height, width = round(side / row), round(side / column)
    top = round((rows[0] + rows[-1] + 1 - height) / 2)
    left = round((columns[0] + columns[-1] + 1 - width) / 2)
    return Box(left, top, left + width, top + height)
