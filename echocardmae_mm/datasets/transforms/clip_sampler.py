"""Base class of clip samplers: frame rates and padding."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.utils.errors import RecordingError, UserError

PADDINGS = ('zero', 'loop')


class ClipSampler(EchoTransform):
    """Sample clips at starts that a subclass chooses.

    The spacing of the frames in a clip is fixed in frames (``frame_interval``) or in seconds
    (``target_fps``), or they are spread over a cardiac cycle (``span='cycle'``).

    Required Keys:

        - total_frames (int)
        - filename (str)
        - avg_fps (float, for ``target_fps``)
        - cycle (tuple[int, int], optional, for ``span='cycle'``): First and last frame of the
          cycle, from 0, both included. If the last precedes the first, the clip runs backwards.
        - cycle_is_optional (bool, optional): Whether to ignore a cycle that exceeds the recording
          instead of raising an error. Defaults to False.

    Added Keys:

        - frame_inds (int64 (num_clips * clip_len,)): -1 is a black frame.
        - clip_len (int)
        - frame_interval (float | int): Distance between sampled frames.
        - num_clips (int)
        - clip_starts (list[int]): First frame of each clip.
        - padded_frames (int): Number of black or repeated frames.

    Args:
        clip_len (int): Frames per clip. Defaults to 16.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        target_fps (float, optional): Frame rate of the clips, instead of ``frame_interval``, so
            that clips of all recordings have the same duration. Defaults to None.
        span (str, optional): 'cycle' spreads each clip evenly over the cycle, or over the whole
            recording if the cycle is unknown. Defaults to None.
        pad (str): Padding of recordings shorter than a clip: 'zero' appends black frames, as the
            released code does; 'loop' repeats from the first frame. Defaults to 'zero'.
    """

    def __init__(
        self,
        clip_len: int = 16,
        frame_interval: int = 4,
        target_fps: float | None = None,
        span: str | None = None,
        pad: str = 'zero',
    ) -> None:
        name = type(self).__name__
        if min(clip_len, frame_interval) < 1:
            raise UserError(
                f'{name}: clip_len={clip_len} and frame_interval={frame_interval} must be at '
                'least 1'
            )
        if target_fps is not None and (target_fps <= 0 or span is not None):
            raise UserError(f'{name}: target_fps must be positive, and cannot be set with span')
        if span not in (None, 'cycle'):
            raise UserError(f"{name}: span={span!r} is unknown; choose 'cycle' or None")
        if pad not in PADDINGS:
            raise UserError(f'{name}: pad={pad!r} is unknown; choose one of {PADDINGS}')
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.target_fps = target_fps
        self.span = span
        self.pad = pad

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose the frames.

        Raises:
            RecordingError: If there is only one frame, a required frame rate is unknown, or the
                cycle exceeds the recording.
        """
        total = results['total_frames']
        if total < 2 <= self.clip_len:
            raise RecordingError(results['filename'], f'{total} frame; a clip needs at least 2')
        if self.span == 'cycle':
            first, last = self._cycle(results)
            frame_interval = abs(last - first) / max(self.clip_len - 1, 1)
            clip = _nearest(np.linspace(first, last, self.clip_len))
            clips = np.tile(clip, (len(self._choose_starts(results, 1)), 1))
        else:
            frame_interval = self._frame_interval(results)
            clips = self._choose_clips(results, frame_interval)
        indices = clips.ravel()
        beyond = indices >= total
        filler = -1 if self.pad == 'zero' else indices % total
        results['frame_inds'] = np.where(beyond, filler, indices)
        results['clip_len'] = self.clip_len
        results['frame_interval'] = frame_interval
        results['num_clips'] = len(clips)
        results['clip_starts'] = clips[:, 0].tolist()
        results['padded_frames'] = int(beyond.sum())
        return results

    @abstractmethod
    def _choose_starts(self, results: dict[str, Any], num_starts: int) -> np.ndarray:
        """First frame of each clip, int64 of shape (num_clips,), below ``num_starts``."""

    def _choose_clips(self, results: dict[str, Any], frame_interval: float) -> np.ndarray:
        """Frames of each clip, (num_clips, clip_len); they may exceed the recording."""
        offsets = _nearest(np.arange(self.clip_len) * frame_interval)
        num_starts = results['total_frames'] - int(offsets[-1])
        if num_starts < 1:
            num_starts = results['total_frames'] if self.pad == 'loop' else 1
        return self._choose_starts(results, num_starts)[:, None] + offsets

    def _frame_interval(self, results: dict[str, Any]) -> float:
        if self.target_fps is None:
            return self.frame_interval
        if not results['avg_fps']:
            reason = 'its frame rate is unknown; use frame_interval instead of target_fps'
            raise RecordingError(results['filename'], reason)
        return results['avg_fps'] / self.target_fps

    def _cycle(self, results: dict[str, Any]) -> tuple[int, int]:
        last_frame = results['total_frames'] - 1
        first, last = results.get('cycle', (0, last_frame))
        if not (0 <= first <= last_frame and 0 <= last <= last_frame):
            if results.get('cycle_is_optional'):
                return 0, last_frame
            raise RecordingError(
                results['filename'],
                f'its cycle, frames {first} to {last}, exceeds its frames 0 to {last_frame}',
            )
        return first, last


def _nearest(times: np.ndarray) -> np.ndarray:
    return np.floor(times + 0.5).astype(np.int64)
