"""Both readers of video files against each other, and on damaged files."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.video import DecordVideo, OpenCVVideo, is_truncated
from echocardmae_mm.utils.errors import RecordingError

FORMATS = [('clip.avi', 'MJPG'), ('clip.mp4', 'mp4v'), ('clip.mov', 'mp4v'), ('clip.mkv', 'MJPG')]


@pytest.fixture(scope='module')
def clip_bytes(make_video, tmp_path_factory) -> bytes:
    path = make_video(tmp_path_factory.mktemp('whole') / 'clip.avi', 40)
    return path.read_bytes()


@pytest.mark.parametrize(('name', 'fourcc'), FORMATS)
def test_decord_and_opencv_decode_equal_pixels(name, fourcc, make_video, tmp_path):
    pytest.importorskip('decord')
    path = str(make_video(tmp_path / name, 40, fourcc=fourcc, fps=37))
    random_access, from_the_start = DecordVideo(path), OpenCVVideo(path)
    wanted = [31, 3, 3, 17, 0, 39]
    assert len(random_access) == len(from_the_start) == 40
    assert random_access.fps == pytest.approx(37)
    assert from_the_start.fps == pytest.approx(37)
    np.testing.assert_array_equal(random_access.frames(wanted), from_the_start.frames(wanted))


@pytest.mark.parametrize('reader', [DecordVideo, OpenCVVideo])
def test_frames_match_a_plain_loop_in_rgb(reader, make_video, tmp_path):
    pytest.importorskip('decord')
    path = str(make_video(tmp_path / 'clip.avi', 30))
    capture, plain = cv2.VideoCapture(path), []
    while (read := capture.read())[0]:
        plain.append(read[1][..., ::-1])
    wanted = [7, 29, 0, 7]
    decoded = reader(path).frames(wanted)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, np.stack([plain[index] for index in wanted]))


def test_colours_come_in_the_order_red_green_blue(tmp_path):
    path = str(tmp_path / 'red.avi')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 50, (64, 64))
    for _ in range(4):
        writer.write(np.full((64, 64, 3), (10, 60, 200), np.uint8))
    writer.release()
    np.testing.assert_allclose(
        open_recording(path).frames([2])[0].mean((0, 1)), [200, 60, 10], atol=6
    )


@pytest.mark.parametrize('part', [0.15, 0.4, 0.66, 0.9, 0.97, 0.999])
def test_a_truncated_avi_ends_with_its_last_complete_frame(part, clip_bytes, tmp_path):
    whole = tmp_path / 'whole.avi'
    whole.write_bytes(clip_bytes)
    cut = tmp_path / 'cut.avi'
    cut.write_bytes(clip_bytes[: int(len(clip_bytes) * part)])
    assert is_truncated(str(cut))
    assert not is_truncated(str(whole))
    recording = open_recording(cut)
    assert 0.8 * part * 40 - 2 < len(recording) < 40
    everything = range(len(recording))
    np.testing.assert_array_equal(
        recording.frames(everything), open_recording(whole).frames(everything)
    )


@pytest.mark.parametrize('reader', [DecordVideo, OpenCVVideo, open_recording])
def test_a_frame_count_too_large_in_the_header_is_ignored(reader, clip_bytes, tmp_path):
    pytest.importorskip('decord')
    lying = bytearray(clip_bytes)
    for chunk, offset in ((b'avih', 8 + 16), (b'strh', 8 + 32)):
        place = clip_bytes.index(chunk) + offset
        assert struct.unpack('<I', lying[place : place + 4]) == (40,)
        lying[place : place + 4] = struct.pack('<I', 400)
    path = tmp_path / 'lying.avi'
    path.write_bytes(lying)
    recording = reader(str(path))
    assert len(recording) == 40
    assert recording.frames([39]).mean() > 10


@pytest.mark.parametrize('reader', [DecordVideo, OpenCVVideo])
def test_a_video_without_frames_raises_with_a_reason(reader, clip_bytes, tmp_path):
    pytest.importorskip('decord')
    path = tmp_path / 'header.avi'
    path.write_bytes(clip_bytes[:2000])
    with pytest.raises(RecordingError, match=r'header\.avi: .*(truncated|no frame)'):
        reader(str(path))


def test_a_damaged_frame_raises_with_a_reason(clip_bytes, tmp_path):
    pytest.importorskip('decord')
    damaged = bytearray(clip_bytes)
    start = damaged.index(b'00dc', len(damaged) // 2)
    size = int.from_bytes(damaged[start + 4 : start + 8], 'little')
    damaged[start + 8 : start + 8 + size] = bytes(size)
    path = tmp_path / 'damaged.avi'
    path.write_bytes(damaged)
    recording = open_recording(path)
    with pytest.raises(RecordingError, match='damaged: not all of the frames 0 to 39'):
        recording.frames(range(len(recording)))


def test_an_index_out_of_range_is_an_index_error(make_video, tmp_path):
    recording = open_recording(make_video(tmp_path / 'clip.avi', 10))
    for index in (-1, 10):
        with pytest.raises(IndexError, match='0 to 9'):
            recording.frames([index])


def test_reading_is_silent(clip_bytes, tmp_path, capfd):
    for name, content in {
        'empty.avi': b'',
        'text.avi': b'no video at all\n' * 50,
        'cut.avi': clip_bytes[: len(clip_bytes) // 2 + 700],
    }.items():
        (tmp_path / name).write_bytes(content)
        try:
            open_recording(tmp_path / name).frames([0])
        except RecordingError:
            continue
    assert capfd.readouterr() == ('', '')
