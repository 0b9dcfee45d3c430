"""Cache deterministic transforms of each recording."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose

from echocardmae_mm.datasets.transforms.click_in_mask import ClickInMask
from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.random_shift import RandomShift
from echocardmae_mm.datasets.transforms.sample_labelled_clip import SampleLabelledClip
from echocardmae_mm.datasets.transforms.sample_random_clips import SampleRandomClips
from echocardmae_mm.datasets.transforms.sector_mask import SectorMask
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError

#: Random transforms of this package; they do not change the global generators.
_RANDOM = (ClickInMask, RandomShift, SampleLabelledClip, SampleRandomClips, SectorMask)


@TRANSFORMS.register_module()
class CachedTransforms(EchoTransform):
    """Apply transforms once per recording and worker process, and cache their results.

    Use it for small data sets with a fixed clip per recording, such as the cycle of CAMUS and
    HMC-QU: decoding and sector detection then run once instead of in every epoch. A clip of 16
    frames of 112 x 112 pixels takes 0.6 MB in each worker. Set ``persistent_workers=True`` to keep
    the cache between epochs. Put random transforms after this one.

    Required Keys:

        - filename (str): The key of the cache, with ``frame`` (int) if there is one.

    Args:
        transforms (Sequence[dict]): The transforms.

    Raises:
        UserError: If a transform is random, because caching would freeze its result.
    """

    def __init__(self, transforms: Sequence[dict[str, Any]]) -> None:
        self.steps = Compose(list(transforms))
        self._kept: dict[tuple[str, int | None], dict[str, Any]] = {}
        for step in self.steps.transforms:
            if _is_random(step):
                raise UserError(
                    f'CachedTransforms: {type(step).__name__} is random; put it after this one'
                )

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Add the results of the transforms; None if one of them rejects the recording."""
        key = results['filename'], results.get('frame')
        if key not in self._kept:
            before = _generators()
            made = self.steps(dict(results))
            if before != _generators():
                raise UserError(
                    'CachedTransforms: one of its transforms is random; put that one after it'
                )
            if made is None:
                return None
            self._kept[key] = {
                name: value
                for name, value in made.items()
                if name not in results or value is not results[name]
            }
        results.update(deepcopy(self._kept[key]))
        return results


def _is_random(step: Any) -> bool:
    is_fixed = getattr(step, 'span', None) or getattr(step, 'position', 'random') != 'random'
    return isinstance(step, _RANDOM) and not is_fixed


def _generators() -> bytes:
    """The states of the global generators."""
    words = np.random.get_state(), random.getstate()  # noqa: NPY002  (used by transforms)
    return pickle.dumps((words, torch.get_rng_state().numpy()))
