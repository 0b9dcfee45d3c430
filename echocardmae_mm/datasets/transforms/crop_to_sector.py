"""Crop frames to the ultrasound sector."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.sector.geometry import TEMPLATE_SIZE, template_sector
from echocardmae_mm.utils.errors import RecordingError, UserError


class Box(NamedTuple):
    """A rectangle in pixels, which may exceed the frame; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Cut the box out of an image (H, W) or (H, W, C); pixels outside the image are black."""
        height, width = image.shape[:2]
        inside = image[max(self.top, 0) : self.bottom, max(self.left, 0) : self.right]
        above, before = max(-self.top, 0), max(-self.left, 0)
        below, after = max(self.bottom - height, 0), max(self.right - width, 0)
        return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT)


@TRANSFORMS.register_module()
class CropToSector(EchoTransform):
    """Crop the frames of any scanner to the framing that the encoder was trained on.

    Detects the sector, within the ultrasound region if known, and crops to the square around it,
    padded with black. The sides of the square are equal in mm, so non-square pixels do not distort
    the heart. Put it between ``RecordingDecode`` and ``FormatShape``. Set ``size`` instead of using
    ``Resize``, which does not update ``sector_mask`` and ``spacing``.

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
        size (int, optional): Height and width of the new frames in pixels (area interpolation to
            shrink, linear to enlarge). Defaults to None, no resizing.
        keep_echonet (bool): Whether to resize frames of 112 x 112 pixels without any other change,
            because EchoNet-Dynamic has cut its recordings to the sector already. Defaults to False.

    Example:
        >>> import numpy as np
        >>> from echocardmae_mm.datasets.transforms import CropToSector
        >>> from echocardmae_mm.sector.geometry import template_sector
        >>> sector = np.pad(template_sector(112, 112), 40)[..., None]
        >>> speckle = np.random.default_rng(0).integers(60, 256, (8, 192, 192, 1), np.uint8)
        >>> frames = list((speckle * sector).repeat(3, axis=-1))
        >>> CropToSector(size=64).transform({'imgs': frames})['imgs'][0].shape
        (64, 64, 3)
    """

    def __init__(self, size: int | None = None, keep_echonet: bool = False) -> None:
        if size is not None and size < 1:
            raise UserError(f'CropToSector: size={size} must be at least 1 pixel')
        self.size = size
        self.keep_echonet = keep_echonet

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop every frame.

        Raises:
            UserError: If ``FormatShape`` ran before.
            RecordingError: If no sector is found.
        """
        frames = results['imgs']
        if frames[0].ndim != 3:
            raise UserError(
                'CropToSector needs a list of frames (H, W, 3): put it before FormatShape'
            )
        is_kept = self.keep_echonet and frames[0].shape[:2] == (TEMPLATE_SIZE, TEMPLATE_SIZE)
        if is_kept:
            box = Box(0, 0, TEMPLATE_SIZE, TEMPLATE_SIZE)
            mask = template_sector(TEMPLATE_SIZE, TEMPLATE_SIZE)
        else:
            box, mask = find_sector_box(
                frames,
                results.get('filename', 'recording'),
                results.get('region'),
                results.get('spacing'),
            )
        sector = self._resize(box.cut(mask.astype(np.float32))) >= 0.5
        cropped = [self._resize(box.cut(frame)) for frame in frames]
        if not is_kept:
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


def find_sector_box(
    frames: list[np.ndarray],
    filename: str,
    region: tuple[int, int, int, int] | None = None,
    spacing: tuple[float, float] | None = None,
) -> tuple[Box, np.ndarray]:
    """Find the sector of a recording and the square around it.

    Args:
        frames (list[np.ndarray]): Some of its frames, uint8 RGB of shape (H, W, 3).
        filename (str): Name of the recording, for messages.
        region (tuple[int, int, int, int], optional): The ultrasound image on the screen: left,
            top, right, bottom in pixels. Defaults to None, anywhere.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None, pixels are square.

    Returns:
        tuple[Box, np.ndarray]: The smallest box, square in mm, centred on the sector, and the
        sector, bool of shape (H, W).

    Raises:
        RecordingError: If no sector is found.
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
    """The smallest box, square in mm, centred on the sector."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    row, column = spacing
    side = max((rows[-1] - rows[0] + 1) * row, (columns[-1] - columns[0] + 1) * column)
    height, width = round(side / row), round(side / column)
    top = round((rows[0] + rows[-1] + 1 - height) / 2)
    left = round((columns[0] + columns[-1] + 1 - width) / 2)
    return Box(left, top, left + width, top + height)
