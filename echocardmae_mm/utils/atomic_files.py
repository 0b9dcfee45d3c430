"""Write files completely or not at all, even if the program is killed."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from echocardmae_mm.utils.errors import UserError


def atomic_write_text(path: str | Path, text: str) -> None:
    """Replace a text file atomically; after a kill or on a full disk, the old file remains.

    Args:
        path (str | Path): The file.
        text (str): Its new content.
    """
    unfinished = Path(path).with_name(f'{Path(path).name}.part')
    with unfinished.open('w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def verify_frame_count(path: str | Path, num_frames: int) -> None:
    """Check that a video is complete, because OpenCV does not report a full disk.

    Args:
        path (str | Path): The video.
        num_frames (int): Number of frames written.

    Raises:
        UserError: If fewer frames can be read.
    """
    video = cv2.VideoCapture(str(path))
    readable = sum(1 for _ in iter(video.grab, False))
    video.release()
    if readable < num_frames:
        raise UserError(
            f'{path}: incomplete; is the disk full?\nFree some space and repeat the command'
        )


def json_text(value: Any) -> str:
    """Format standard JSON: NaN and infinity become null, arrays become lists.

    Args:
        value (Any): Dictionaries, lists, numbers, arrays and tensors; anything else becomes text.

    Returns:
        str: With a newline at the end.
    """
    return json.dumps(_plain(value), indent=2, allow_nan=False) + '\n'


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
