"""Sample clips with evenly spaced starts, for evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.clip_sampler import ClipSampler
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class SampleUniformClips(ClipSampler):
    """Sample clips at evenly spaced starts, from the first possible start to the last.

    Five clips reproduce the test of the released code (``val_ef.py``: start ``(D - 61) * i // 4``
    for a recording of D frames and clips that span 61). A recording with fewer possible starts
    repeats them, so all recordings have the same number of clips. See :class:`ClipSampler` for the
    keys.

    Args:
        num_clips (int | str): Number of clips; a single one is centred. 'all' uses every start and
            requires a batch size of 1. Defaults to 5.
        **kwargs: Arguments of :class:`ClipSampler`: ``clip_len``, ``frame_interval``,
            ``target_fps``, ``span``, ``pad``.

    Example:
        >>> from echocardmae_mm.datasets.transforms import SampleUniformClips
        >>> sampler = SampleUniformClips(num_clips=5, clip_len=16, frame_interval=4)
        >>> sampler.transform({'filename': 'a.avi', 'total_frames': 101})['clip_starts']
        [0, 10, 20, 30, 40]
    """

    def __init__(self, num_clips: int | str = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_clips != 'all' and not (isinstance(num_clips, int) and num_clips >= 1):
            raise UserError(
                f"SampleUniformClips: num_clips={num_clips!r} must be 'all' or at least 1"
            )
        self.num_clips = num_clips

    def _choose_starts(self, results: dict[str, Any], num_starts: int) -> np.ndarray:
        last, count = num_starts - 1, self.num_clips
        if isinstance(count, str):
            return np.arange(num_starts, dtype=np.int64)
        if count == 1:
            return np.array([last // 2], np.int64)
        return last * np.arange(count, dtype=np.int64) // (count - 1)
