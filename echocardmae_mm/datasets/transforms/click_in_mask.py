"""Click into the true mask, for models that are prompted."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.sample_labelled_clip import POSITIONS
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import RngStream, random_bits, rng_key
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class ClickInMask(EchoTransform):
    """Click once into each true structure, as SAMUS and MemSAM do in training **and in tests**.

    A model with these clicks saw a part of the truth: do not compare it with one that did not. If a
    structure is absent, the click lies on another pixel and is labelled as background. The click of
    a clip lies in its first frame. Put it after all transforms that move pixels.

    Required Keys:

        - gt_seg_map (uint8 (H, W), or (T, H, W) of a clip)
        - num_classes (int)
        - img_shape (tuple[int, int]): H, W of the frames.

    Added Keys:

        - clicks (float32 (num_classes - 1, 2)): x and y in the frame, at the centre of a pixel of
          the labels.
        - click_labels (int64 (num_classes - 1,)): 1, or 0 beside an absent structure.

    Args:
        position (str): 'random', for training, or 'middle', the middle pixel of the structure row
            by row. Defaults to 'random'.

    Raises:
        UserError: If ``position`` is unknown.
    """

    def __init__(self, position: str = 'random') -> None:
        if position not in POSITIONS:
            raise UserError(
                f'ClickInMask: position={position!r} is unknown; choose one of {POSITIONS}'
            )
        self.position = position

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the clicks.

        Raises:
            UserError: If the sample or its first frame has no labels.
        """
        labels = results.get('gt_seg_map', np.empty((0, 0), np.uint8))
        first = labels[0] if labels.ndim == 3 else labels
        structures = range(1, results.get('num_classes', 0))
        if not structures or (first >= results['num_classes']).all():
            raise UserError(
                f'ClickInMask: {results.get("filename", "the frame")} has no labels to click on; '
                'use a config without clicks'
            )
        bits = random_bits(rng_key(results), RngStream.CLICK, len(structures))
        clicks = []
        for structure, number in zip(structures, bits.tolist()):
            pixels = np.argwhere(first == structure)
            is_there = len(pixels) > 0
            if not is_there:
                pixels = np.argwhere(first != structure)
            index = number % len(pixels) if self.position == 'random' else len(pixels) // 2
            clicks.append((*pixels[index], is_there))
        y, x, labels_of_clicks = np.array(clicks).T
        height, width = results['img_shape'][:2]
        scaled = (x + 0.5) * width / first.shape[1], (y + 0.5) * height / first.shape[0]
        results['clicks'] = np.stack(scaled, axis=1).astype(np.float32) - 0.5
        results['click_labels'] = labels_of_clicks.astype(np.int64)
        return results
