"""Segment every frame of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.utils.config import type_name

_BATCH = 16
_LOADING = ('LoadEchoFrame', 'LoadEchoMask', 'RecordingInit', 'RecordingDecode')
_CLIP = 'SampleLabelledClip'


def segment_frames(bundle: Bundle, frames: np.ndarray) -> np.ndarray:
    """Segment every frame.

    Args:
        bundle (Bundle): A bundle for segmentation.
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3).

    Returns:
        np.ndarray: Labels, uint8 of shape (T, H, W).
    """
    pipeline = bundle.config.test_pipeline
    with DefaultScope.overwrite_default_scope(bundle.config.default_scope):
        prepare = Compose(
            [step for step in pipeline if not type_name(step).endswith((*_LOADING, _CLIP))]
        )
    sampler = next((step for step in pipeline if type_name(step).endswith(_CLIP)), None)
    if sampler is None:
        batches = np.array_split(np.arange(len(frames)), -(-len(frames) // _BATCH))
    else:
        batches = list(_clips(len(frames), sampler['clip_len'], sampler['frame_interval']))
    labels = np.zeros(frames.shape[:3], np.uint8)
    for indices in batches:
        chosen = list(frames[indices])
        samples = [_clip_sample(chosen)] if sampler else [_frame_sample(f) for f in chosen]
        with torch.no_grad():
            predictions = bundle.model.test_step(
                pseudo_collate([prepare(sample) for sample in samples])
            )
        masks = torch.cat([sample.pred_sem_seg.data for sample in predictions])
        labels[indices] = masks.cpu().numpy().astype(np.uint8)
    return labels


def _clips(num_frames: int, length: int, interval: int) -> Iterator[np.ndarray]:
    """Yield frame indices of clips that together cover every frame."""
    for offset in range(min(interval, num_frames)):
        frames = np.arange(offset, num_frames, interval)
        for begin in range(0, len(frames), length):
            # The last clip starts earlier to be full, if the recording is long enough.
            first = max(0, min(begin, len(frames) - length))
            clip = frames[first : first + length]
            yield np.concatenate([clip, np.repeat(clip[-1:], length - len(clip))])


def _frame_sample(frame: np.ndarray) -> dict[str, Any]:
    shape = frame.shape[:2]
    return {'img': frame, 'img_shape': shape, 'ori_shape': shape}


def _clip_sample(frames: list[np.ndarray]) -> dict[str, Any]:
    shape = frames[0].shape[:2]
    return {
        'imgs': frames,
        'img_shape': shape,
        'original_shape': shape,
        'modality': 'RGB',
        'num_clips': 1,
        'clip_len': len(frames),
    }
