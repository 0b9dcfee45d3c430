"""Every frame is segmented alone, in place."""

import numpy as np

from echocardmae_mm.apis import Bundle
from echocardmae_mm.apis.segment_frames import segment_frames
from echocardmae_mm.datasets.recordings import open_recording


def test_every_frame_has_its_own_labels(bundles, recordings):
    bundle = Bundle(bundles['seg'], 'cpu')
    frames = open_recording(recordings['echonet']).frames(range(37))
    together, _ = segment_frames(bundle, frames)
    assert together.shape == (37, 112, 112)
    for index in (0, 15, 16, 36):
        alone, _ = segment_frames(bundle, frames[index : index + 1])
        np.testing.assert_array_equal(together[index], alone[0])
