"""Read the clips of a recording for a clip model."""

from __future__ import annotations

from typing import Any

from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import Tensor

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.measurements import Ventricle
from echocardmae_mm.datasets.recordings import ArrayRecording
from echocardmae_mm.utils.config import type_name


def read_clips(
    bundle: Bundle, framed: Framed, fps: float | None, ventricle: Ventricle | None = None
) -> Tensor:
    """Read clips at the frame rate of the training.

    Args:
        bundle (Bundle): A bundle of a clip model.
        framed (Framed): The frames.
        fps (float, optional): Frames per second.
        ventricle (Ventricle, optional): Measurements whose beats give a cardiac cycle. Defaults to
            None.

    Returns:
        Tensor: uint8 of shape (M, 3, T, H, W).
    """
    frames = framed.resized(bundle.config.frame_size) if framed.cropped else framed.frames
    recording = ArrayRecording(frames, 'recording', fps, framed.spacing)
    sample: dict[str, Any] = {
        'filename': '',
        'recording': recording,
        'total_frames': len(recording),
        'avg_fps': recording.fps,
        'spacing': recording.spacing,
        'region': None,
        'start_index': 0,
        'modality': 'RGB',
        **_cycle(ventricle),
    }
    with DefaultScope.overwrite_default_scope(bundle.config.default_scope):
        return Compose(_pipeline(bundle, framed, recording.fps))(sample)['inputs']


def _pipeline(bundle: Bundle, framed: Framed, fps: float | None) -> list[dict[str, Any]]:
    """The test pipeline; of a recording that was cropped, at the frame rate of the training."""
    steps = [dict(step) for step in bundle.config.test_pipeline]
    steps = [step for step in steps if not type_name(step).endswith('RecordingInit')]
    if not framed.cropped:
        return steps
    trained_at = bundle.config.fps
    for step in steps:
        if 'frame_interval' in step and not step.get('span') and fps and trained_at:
            step['target_fps'] = trained_at / step.pop('frame_interval')
        if type_name(step).endswith('CropToSector'):
            size = step['size']
            step.clear()
            step.update(
                type='echocardmae_mm.ResizeFrames',
                scale=(size, size),
                keep_ratio=False,
                interpolation='area',
            )
    return steps


def _cycle(ventricle: Ventricle | None) -> dict[str, Any]:
    """The first whole cycle, from end-systole to end-systole, for clips that span one."""
    if ventricle is None or len(ventricle.beats) < 2:
        return {}
    first, second = ventricle.beats['es_frame'].to_numpy(int)[:2]
    return {'cycle': (int(first), int(second))}
