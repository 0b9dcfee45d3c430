"""Segment every frame of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import Tensor

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.network import FEATURES
from echocardmae_mm.utils.config import type_name

_BATCH = 16
_LOADING = ('LoadEchoFrame', 'LoadEchoMask', 'RecordingInit', 'RecordingDecode')
_CLIP = 'SampleLabelledClip'


def segment_frames(bundle: Bundle, frames: np.ndarray) -> tuple[np.ndarray, Tensor | None]:
    """Segment every frame.

    Args:
        bundle (Bundle): A bundle for segmentation.
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3).

    Returns:
        tuple[np.ndarray, Tensor | None]: Labels, uint8 of shape (T, H, W), and the features of each
        frame or clip, float32 (N, C), if the model gives them.
    """
    features = []
    labels = np.zeros(frames.shape[:3], np.uint8)
    for indices, inputs in read_batches(bundle, frames):
        outputs = bundle.network(inputs)
        logits = outputs['logits']
        if logits.ndim == 5:
            logits = logits.transpose(1, 2).flatten(0, 1)  # (1, K, T, H, W) -> (T, K, H, W)
        # Like MMSegmentation, resize the logits before the argmax.
        logits = F.interpolate(logits, frames.shape[1:3], mode='bilinear', align_corners=False)
        # On CPUs, argmax over classes takes ten times as long as max.
        labels[indices] = logits.max(1).indices.cpu().numpy().astype(np.uint8)
        if FEATURES in outputs:
            features.append(outputs[FEATURES])
    return labels, torch.cat(features) if features else None


def read_batches(bundle: Bundle, frames: np.ndarray) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Prepare the inputs of the network; see :func:`segment_frames`.

    Yields:
        tuple[np.ndarray, Tensor]: Indices of frames, and uint8 frames (N, 3, H, W) or one clip
        (1, 3, T, H, W). Together they cover every frame.
    """
    pipeline = bundle.config.test_pipeline
    with DefaultScope.overwrite_default_scope(bundle.config.default_scope):
        prepare = Compose(
            [step for step in pipeline if not type_name(step).endswith((*_LOADING, _CLIP))]
        )
    sampler = next((step for step in pipeline if type_name(step).endswith(_CLIP)), None)
    if sampler is not None:
        for indices in _clips(len(frames), sampler['clip_len'], sampler['frame_interval']):
            yield indices, prepare(_clip_sample(list(frames[indices])))['inputs']
        return
    for indices in np.array_split(np.arange(len(frames)), -(-len(frames) // _BATCH)):
        samples = [_frame_sample(frames[index]) for index in indices]
        yield indices, torch.stack([prepare(sample)['inputs'] for sample in samples])


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
