"""Frames of a scanner's screen are cropped as the training data are."""

import numpy as np
import pytest

from echocardmae_mm.apis import frame_recording
from echocardmae_mm.datasets.recordings import ArrayRecording, open_recording


def test_other_recordings_are_framed_as_echonets(recordings):
    small, screen = (open_recording(recordings[name]) for name in ('echonet', 'clip'))
    framed = frame_recording(screen)
    assert framed.cropped
    assert framed.frames.shape[1] == framed.frames.shape[2] == 224
    rows, columns = np.nonzero(framed.resized((112, 112)).max((0, 3)) > 16)
    expected_rows, expected_columns = np.nonzero(small.frames(range(70)).max((0, 3)) > 16)
    assert abs(rows.min() - expected_rows.min()) <= 4
    assert abs(rows.max() - expected_rows.max()) <= 8
    near, expected = columns[rows < rows.min() + 6], expected_columns[expected_rows < 8]
    assert abs(near.mean() - expected.mean()) <= 4  # the apex, not in the middle
    assert not frame_recording(screen, 'whole').cropped
    assert not frame_recording(small).cropped


def test_a_pixel_keeps_its_size_in_mm(recordings):
    screen = open_recording(recordings['clip'])
    height, width = screen.frames([0]).shape[1:3]
    whole = frame_recording(screen, 'whole', spacing=(0.5, 0.5))
    rows, columns = whole.frames.shape[1:3]
    assert max(rows, columns) == 224
    assert whole.spacing == pytest.approx((0.5 * height / rows, 0.5 * width / columns))
    for framing in ('echonet', 'sector'):
        cropped = frame_recording(screen, framing, spacing=(0.5, 0.5))
        assert cropped.spacing[0] == pytest.approx(cropped.spacing[1], rel=0.01)


def test_pixels_that_are_not_square_do_not_distort_the_heart(recordings):
    frames = open_recording(recordings['clip']).frames(range(30))
    tall = ArrayRecording(np.repeat(frames, 2, axis=1), spacing=(0.25, 0.5))
    square = frame_recording(ArrayRecording(frames, spacing=(0.5, 0.5)))
    framed = frame_recording(tall)
    assert framed.sector.shape == square.sector.shape
    overlap = (framed.sector & square.sector).sum() / (framed.sector | square.sector).sum()
    assert overlap > 0.95


def test_nothing_outside_the_sector_is_shown(recordings):
    for framing in ('echonet', 'sector', 'whole'):
        framed = frame_recording(open_recording(recordings['clip']), framing)
        assert framed.shown()[:, ~framed.sector].max(initial=0) == 0
