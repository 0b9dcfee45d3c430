"""Sample clips with random starts, for training."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.clip_sampler import ClipSampler
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import RngStream, random_uniform, rng_key
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class SampleRandomClips(ClipSampler):
    """Sample clips with independent, uniformly distributed starts.

    Two clips, which may overlap, are the views that the alignment loss compares (section 2.3 of the
    paper). Fine-tuning uses ``num_clips=1``. See :class:`ClipSampler` for the keys.

    Args:
        num_clips (int): Number of clips. Defaults to 2.
        same_start (bool): Whether all clips have the same start, to augment each by itself.
            Defaults to False.
        **kwargs: Arguments of :class:`ClipSampler`: ``clip_len``, ``frame_interval``,
            ``target_fps``, ``span``, ``pad``.

    Example:
        >>> from echocardmae_mm.datasets.transforms import SampleRandomClips
        >>> sampler = SampleRandomClips(num_clips=2, clip_len=16, frame_interval=4)
        >>> results = {'filename': 'a.avi', 'total_frames': 100}
        >>> sampler.transform(results)['frame_inds'].shape
        (32,)
    """

    def __init__(self, num_clips: int = 2, same_start: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_clips < 1:
            raise UserError(f'SampleRandomClips: num_clips={num_clips} must be at least 1')
        self.num_clips = num_clips
        self.same_start = same_start

    def _choose_starts(self, results: dict[str, Any], num_starts: int) -> np.ndarray:
        draws = random_uniform(rng_key(results), RngStream.CLIP_START, self.num_clips)
        starts = np.floor(draws * num_starts).astype(np.int64)
        return starts[:1].repeat(self.num_clips) if self.same_start else starts
