"""Videos hold what was drawn, and their bytes depend on nothing else."""

import av
import numpy as np
import pytest

from echocardmae_mm.apis import Framed, Prediction, draw_frames, write_outputs
from echocardmae_mm.apis.measurements import measure_ventricle
from echocardmae_mm.apis.outputs import curve, write_video
from echocardmae_mm.utils.errors import UserError

COLOUR = [230, 75, 53]


def prediction(count=12):
    """A grey square of 112 pixels, whose middle is labelled; the corner is no sector."""
    frames = np.full((count, 112, 112, 3), 90, np.uint8)
    sector = np.ones((112, 112), bool)
    sector[:30, -30:] = False
    labels = np.zeros((count, 112, 112), np.uint8)
    labels[:, 40:80, 40:80] = 1
    return Prediction(
        {'status': 'measured'},
        framed=Framed(frames, sector, None, cropped=False),
        labels=labels,
        classes=('background', 'left ventricle'),
        palette=[[0, 0, 0], COLOUR],
        fps=25.0,
    )


def test_draws_outlines_and_blackens_what_is_no_sector():
    drawn = draw_frames(prediction())
    assert drawn.shape == (12, 336, 336, 3)
    assert drawn[0, :80, -80:].max() == 0
    red, _, blue = drawn[0, 160, 120].astype(int)  # the left edge of the label, smoothed
    assert red > 180 > 100 > blue
    assert (drawn[0, 180, 180] == 90).all()  # within it, nothing


def test_a_synthetic_model_says_so_on_every_frame():
    plain, marked = prediction(), prediction()
    marked.values['training_data'] = 'synthetic'
    assert all((one != other).any() for one, other in zip(draw_frames(plain), draw_frames(marked)))


def test_a_curve_says_what_it_is_for():
    result = prediction()
    result.ventricle = measure_ventricle(result.labels == 1, 25.0, None)
    result.values['training_data'] = 'synthetic'
    axis = curve(result).axes[0]
    title = axis.get_title(loc='right')
    assert 'research use only' in title
    assert 'synthetic' in title


def test_an_unread_recording_has_no_pictures(tmp_path):
    with pytest.raises(UserError, match='no frames to draw: truncated'):
        write_outputs(tmp_path, Prediction({'status': 'refused', 'reason': 'truncated'}))


def test_a_video_holds_the_frames_and_its_bytes_repeat(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    frames = frames.repeat(20, axis=1).repeat(20, axis=2)
    for name in ('a.mp4', 'b.mp4', 'c.mp4'):
        write_video(tmp_path / name, frames, 40)
    contents = {(tmp_path / name).read_bytes() for name in ('a.mp4', 'b.mp4', 'c.mp4')}
    assert len(contents) == 1
    with av.open(str(tmp_path / 'a.mp4')) as file:
        assert float(file.streams.video[0].average_rate) == 40
        read = np.stack([frame.to_ndarray(format='rgb24') for frame in file.decode(video=0)])
    assert read.shape == frames.shape
    grey = [video.mean(-1).reshape(20, 8, 20, 8, 20).mean((2, 4)) for video in (read, frames)]
    assert np.abs(grey[0] - grey[1]).mean() < 8


def test_without_outlines_there_are_no_curves(tmp_path):
    write_outputs(tmp_path, prediction())
    assert {path.name for path in tmp_path.iterdir()} == {'overlay.mp4', 'thumbnail.jpg'}
