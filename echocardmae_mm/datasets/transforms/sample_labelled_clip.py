"""Sample a clip around a labelled frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.load_echo_frame import require_frames
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import RngStream, random_bits, rng_key
from echocardmae_mm.utils.errors import UserError

POSITIONS = ('random', 'middle')


@TRANSFORMS.register_module()
class SampleLabelledClip(EchoTransform):
    """Sample a clip with the labelled frame at a random position or in the middle.

    Recordings shorter than a clip repeat their first and last frames. Other labelled frames in the
    clip keep their labels.

    Required Keys:

        - frame (int): The labelled frame, from 0.
        - total_frames (int)
        - filename (str)

    Added Keys:

        - frame_inds (int (T,))
        - clip_len (int)
        - num_clips (int): 1.
        - padded_frames (int): Number of repetitions of the first or last frame.

    Args:
        clip_len (int): Frames of the clip, T. Defaults to 16.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        position (str): 'random', for training, or 'middle'. Defaults to 'random'.
    """

    def __init__(
        self, clip_len: int = 16, frame_interval: int = 4, position: str = 'random'
    ) -> None:
        if min(clip_len, frame_interval) < 1 or position not in POSITIONS:
            raise UserError(
                f'SampleLabelledClip: clip_len={clip_len} and frame_interval={frame_interval} must '
                f'be at least 1, position={position!r} one of {POSITIONS}'
            )
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.position = position

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose the frames.

        Raises:
            RecordingError: If the labelled frame lies beyond the end of the recording.
        """
        frame, last = results['frame'], results['total_frames'] - 1
        require_frames(results['filename'], last + 1, [frame])
        behind = (last - frame) // self.frame_interval
        least = max(0, self.clip_len - 1 - behind)
        most = min(self.clip_len - 1, frame // self.frame_interval)
        if self.position == 'middle' or most < least:
            # In a recording that is too short, pad both ends about equally.
            position = int(np.clip(self.clip_len // 2, *sorted((least, most))))
        else:
            bits = random_bits(rng_key(results), RngStream.CLIP_POSITION, 1)
            position = least + int(bits.astype(np.uint64)[0] % (most - least + 1))
        indices = frame + (np.arange(self.clip_len) - position) * self.frame_interval
        inside = np.clip(indices, 0, last)
        results['frame_inds'] = inside
        results['clip_len'] = self.clip_len
        results['num_clips'] = 1
        results['padded_frames'] = int((inside != indices).sum())
        return results
