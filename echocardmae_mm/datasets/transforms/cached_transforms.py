"""Steps that give the same for a recording each time, done once."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from echocardmae_mm.datasets.transforms.random_shift import RandomShift
from echocardmae_mm.datasets.transforms.sample_labelled_clip import SampleLabelledClip
from echocardmae_mm.datasets.transforms.sample_random_clips import SampleRandomClips
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError

#: Steps of this package that draw by their own generator; others use the process's.
_DRAWING = (SampleRandomClips, SampleLabelledClip, RandomShift)


@TRANSFORMS.register_module()
class CachedTransforms(BaseTransform):
    """Keep what the first steps of a pipeline make of each recording, in the loading process.

    For small data sets whose clip is always the same, such as the given cycle of CAMUS and HMC-QU:
    decoding large frames and finding the sector then cost once what they would cost each epoch. A
    clip of 16 frames of 112 pixels takes 0.6 MB in each of the workers; ``persistent_workers=True``
    lets them keep it over epochs. Random steps belong behind this one.

    Required Keys:

        - filename (str): What the recordings are told apart by.

    Args:
        transforms (Sequence[dict]): The steps.

    Raises:
        UserError: If a step draws, whose outcome would then be the same for ever.
    """

    def __init__(self, transforms: Sequence[dict[str, Any]]) -> None:
        self.steps = Compose(list(transforms))
        self._kept: dict[str, dict[str, Any]] = {}
        for step in self.steps.transforms:
            if isinstance(step, _DRAWING) and getattr(step, 'span', None) is None:
                raise UserError(f'CachedTransforms: {type(step).__name__} draws; put it behind')

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Add what the steps add.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict | None: The same dict; None where a step refused the recording.
        """
        name = results['filename']
        if name not in self._kept:
            before = _generators()
            made = self.steps(dict(results))
            if before != _generators():
                raise UserError(
                    'CachedTransforms: one of its steps draws; put random steps behind it'
                )
            if made is None:
                return None
            self._kept[name] = {
                key: value
                for key, value in made.items()
                if key not in results or value is not results[key]
            }
        results.update(deepcopy(self._kept[name]))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.steps})'


def _generators() -> bytes:
    """Where the process's generators stand."""
    words = np.random.get_state(), random.getstate()  # noqa: NPY002  (what transforms draw from)
    return pickle.dumps((words, torch.get_rng_state().numpy()))
