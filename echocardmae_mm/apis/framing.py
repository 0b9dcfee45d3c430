"""Crop a recording as the training data of a model are cropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from echocardmae_mm.datasets.recordings import Recording
from echocardmae_mm.datasets.transforms.crop_to_sector import Box, find_sector_box
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.sector.geometry import TEMPLATE_APEX, TEMPLATE_SIZE, template_sector

#: 'echonet': the square as high as the sector, which cuts off its sides, as in EchoNet-Dynamic;
#: 'sector': the square around the sector, as by ``CropToSector``; 'whole': no crop, as in CAMUS.
FRAMINGS = ('echonet', 'sector', 'whole')
#: Longest side of the frames that are kept in memory; larger ones are reduced.
MAX_SIDE = 224
_FRAMES_OF_A_SECTOR = 24
_BYTES_AT_A_TIME = 2**28


class Framed(NamedTuple):
    """All frames of a recording, cropped to the sector or whole.

    Args:
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3). If ``cropped``, pixels outside the
            sector are black.
        sector (np.ndarray): The ultrasound sector, bool of shape (H, W).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.
        cropped (bool): Whether the frames were cropped.
    """

    frames: np.ndarray
    sector: np.ndarray
    spacing: tuple[float, float] | None
    cropped: bool

    def resized(self, size: tuple[int, int]) -> np.ndarray:
        """Frames of another height and width, by area interpolation."""
        if self.frames.shape[1:3] == tuple(size):
            return self.frames
        return np.stack([_resize(frame, size) for frame in self.frames])

    def shown(self) -> np.ndarray:
        """Make frames for people: black outside the sector, where names may be burned in."""
        return self.frames * self.sector[None, :, :, None]


def frame_recording(
    recording: Recording,
    framing: str = 'echonet',
    frame_size: tuple[int, int] = (112, 112),
    spacing: tuple[float, float] | None = None,
) -> Framed:
    """Read a recording, and crop it as the training data of a model are.

    A recording of the size of the training data is assumed to be cropped already.

    Args:
        recording (Recording): The recording.
        framing (str): One of :data:`FRAMINGS`. Defaults to 'echonet'.
        frame_size (tuple[int, int]): Height and width of the training data's frames. Defaults to
            (112, 112).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm, in place of
            the recording's own. Defaults to None.

    Returns:
        Framed: Its frames, at most :data:`MAX_SIDE` pixels wide and high.

    Raises:
        RecordingError: If a frame is damaged or there is no sector.
    """
    spacing = spacing or recording.spacing
    some = np.unique(np.linspace(0, len(recording) - 1, _FRAMES_OF_A_SECTOR).astype(int))
    seen = list(recording.frames(some))
    if seen[0].shape[:2] == tuple(frame_size):
        return Framed(_all_frames(recording, seen[0]), _own_sector(seen), spacing, cropped=False)
    box, sector = find_sector_box(seen, recording.filename, recording.region, spacing)
    if framing == 'whole':
        size = _reduced(sector.shape)
        frames = _all_frames(recording, seen[0], lambda frame: _resize(frame, size))
        mask = _resize(sector.astype(np.float32), size) >= 0.5
        return Framed(frames, mask, _scaled(spacing, sector.shape, size), cropped=False)
    if framing == 'echonet':
        box = _echonet_box(sector, spacing or (1.0, 1.0))
    shape = box.bottom - box.top, box.right - box.left
    size = _reduced((max(shape), max(shape)))
    mask = _resize(box.cut(sector.astype(np.float32)), size) >= 0.5

    def crop(frame: np.ndarray) -> np.ndarray:
        return _resize(box.cut(frame), size) * mask[..., None]

    frames = _all_frames(recording, seen[0], crop)
    return Framed(frames, mask, _scaled(spacing, shape, size), cropped=True)


def _all_frames(
    recording: Recording, first: np.ndarray, change: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> np.ndarray:
    """Decode and change all frames, some at a time; ``first`` is one of them."""
    at_a_time = max(1, _BYTES_AT_A_TIME // first.nbytes)
    chunks = np.array_split(np.arange(len(recording)), -(-len(recording) // at_a_time))
    return np.stack([change(frame) for chunk in chunks for frame in recording.frames(chunk)])


def _echonet_box(sector: np.ndarray, spacing: tuple[float, float]) -> Box:
    """The square, in mm, as high as the sector, with the apex where EchoNet-Dynamic has it."""
    rows = np.flatnonzero(sector.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    width = (bottom - top) * spacing[0] / spacing[1]
    near = sector[top : top + max(1, (bottom - top) // 20)]
    apex = np.nonzero(near)[1].mean() + 0.5
    left = round(apex - width * TEMPLATE_APEX / TEMPLATE_SIZE)
    return Box(left, top, left + round(width), bottom)


def _own_sector(frames: list[np.ndarray]) -> np.ndarray:
    try:
        return detect_sector(frames)
    except ValueError:
        return template_sector(*frames[0].shape[:2])


def _reduced(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1.0, MAX_SIDE / max(shape))
    return round(shape[0] * scale), round(shape[1] * scale)


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == tuple(size):
        return image
    shrinks = image.shape[0] > size[0]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (size[1], size[0]), interpolation=kind)


def _scaled(
    spacing: tuple[float, float] | None, before: tuple[int, ...], after: tuple[int, int]
) -> tuple[float, float] | None:
    if spacing is None:
        return None
    return spacing[0] * before[0] / after[0], spacing[1] * before[1] / after[1]
