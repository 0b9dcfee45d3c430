"""Sample a clip from the first labelled frame to the last."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.load_echo_frame import require_frames
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class SampleTracedClip(EchoTransform):
    """Spread the frames of a clip evenly from the first labelled frame to the last, as MemSAM does.

    Required Keys:

        - masks (dict[int, Any]): By labelled frame, from 0.
        - frame (int): The labelled frame of the sample, which the clip always contains.
        - total_frames (int)
        - filename (str)

    Added Keys:

        - frame_inds (int (T,)): Frames may repeat if there are fewer than T.
        - clip_len (int)
        - num_clips (int): 1.

    Args:
        clip_len (int): Frames of the clip, T. Defaults to 10.
    """

    def __init__(self, clip_len: int = 10) -> None:
        if clip_len < 2:
            raise UserError(f'SampleTracedClip: clip_len={clip_len} must be at least 2')
        self.clip_len = clip_len

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose the frames.

        Raises:
            UserError: If no frame is labelled.
            RecordingError: If a labelled frame lies beyond the end of the recording.
        """
        labelled = sorted(results.get('masks', ()))
        if not labelled:
            raise UserError(
                f'SampleTracedClip: {results.get("filename", "the clip")} has no labelled frames; '
                'this model segments clips between end-diastole and end-systole only'
            )
        require_frames(results['filename'], results['total_frames'], labelled)
        first, last = labelled[0], labelled[-1]
        frames = first + np.arange(self.clip_len) * (last - first) // (self.clip_len - 1)
        frames[np.abs(frames - results['frame']).argmin()] = results['frame']
        results['frame_inds'] = frames
        results['clip_len'] = self.clip_len
        results['num_clips'] = 1
        return results
