"""Videos of many codecs against their lossless source, and damaged files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import RecordingError

INTERLACED = {'flags': '+ildct+ilme'}
FINE = {'qmin': '1', 'b': '50000000'}
H264 = {'crf': '0', 'g': '12'}
# File, encoder, pixel format, options, size of the frames.
CODECS = [
    ('h264.mp4', 'libx264', 'yuv420p', H264, (48, 64)),
    ('h264.avi', 'libx264', 'yuv420p', {**H264, 'bf': '0'}, (48, 64)),
    ('h264.mkv', 'libx264', 'yuv444p', H264, (47, 65)),
    ('h264_interlaced.mp4', 'libx264', 'yuv420p', {**H264, 'x264-params': 'tff=1'}, (48, 64)),
    ('h264_422_interlaced.mkv', 'libx264', 'yuv422p', {**H264, 'x264-params': 'tff=1'}, (48, 64)),
    ('h264_10_bit.mp4', 'libx264', 'yuv420p10le', H264, (48, 64)),
    ('hevc.mp4', 'libx265', 'yuv420p', {'x265-params': 'lossless=1:log-level=none'}, (48, 64)),
    ('mpeg2_interlaced.avi', 'mpeg2video', 'yuv420p', {**FINE, **INTERLACED}, (48, 64)),
    ('mpeg4.avi', 'mpeg4', 'yuv420p', {**FINE, 'bf': '2'}, (48, 64)),
    ('mpeg4_interlaced.mp4', 'mpeg4', 'yuv420p', {**FINE, **INTERLACED}, (48, 64)),
    ('dv.avi', 'dvvideo', 'yuv420p', {}, (576, 720)),
    ('ffv1.mkv', 'ffv1', 'yuv420p', {}, (47, 65)),
    ('ffv1_interlaced.avi', 'ffv1', 'yuv422p', {**INTERLACED, 'field_order': 'tt'}, (48, 64)),
    ('prores_interlaced.mov', 'prores_ks', 'yuv422p10le', {'qscale': '1', **INTERLACED}, (48, 64)),
    ('mjpeg.avi', 'mjpeg', 'yuvj420p', FINE, (48, 64)),
    ('mjpeg.mov', 'mjpeg', 'yuvj422p', FINE, (47, 65)),
    ('huffyuv.avi', 'huffyuv', 'yuv422p', {}, (48, 64)),
    ('raw_palette.avi', 'rawvideo', 'pal8', {}, (48, 64)),
    ('raw_grey.avi', 'rawvideo', 'gray', {}, (47, 65)),
    ('raw.avi', 'rawvideo', 'bgr24', {}, (47, 65)),
    ('rle_grey.mov', 'qtrle', 'gray', {}, (48, 64)),
    ('rle.mov', 'qtrle', 'rgb24', {}, (48, 64)),
    ('png.mov', 'png', 'rgb24', {}, (48, 64)),
]


def moving_waves(num_frames: int, height: int, width: int) -> np.ndarray:
    """Smooth grey frames that differ from each other: uint8 (num_frames, height, width, 3)."""
    t, y, x = np.ogrid[:num_frames, :height, :width]
    grey = 120 + 50 * np.sin((x + 3 * t) / 9) + 40 * np.cos((y - 2 * t) / 7)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)


def encode(
    path: Path,
    frames: np.ndarray,
    encoder: str,
    pix_fmt: str,
    options: dict[str, str] | None = None,
    times_ms: list[int] | None = None,
    hidden: int = 0,
) -> Path:
    """Write RGB frames (T, H, W, 3); an edit list hides the first ``hidden`` of them."""
    times = times_ms or [40 * index for index in range(len(frames))]
    with av.open(str(path), 'w', options={'avoid_negative_ts': 'disabled'}) as container:
        stream = container.add_stream(encoder, rate=25, options=options or {})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pix_fmt
        unit = Fraction(1, 1000) if times_ms else Fraction(1, 25)
        stream.codec_context.time_base = unit
        for packet in _packets(stream, frames, times, unit, pix_fmt):
            packet.pts -= hidden
            packet.dts -= hidden
            container.mux(packet)
    return path


def _packets(
    stream: Any, frames: np.ndarray, times: list[int], unit: Fraction, pix_fmt: str
) -> Iterator[Any]:
    for array, time in zip(frames, times):
        if pix_fmt == 'pal8':
            palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
            palette[:, 0] = 255
            frame = av.VideoFrame.from_ndarray((array[..., 0], palette), format='pal8')
        else:
            frame = av.VideoFrame.from_ndarray(array, format='rgb24')
        frame.time_base, frame.pts = unit, int(Fraction(time, 1000) / unit)
        yield from stream.encode(frame)
    yield from stream.encode(None)


@pytest.fixture(scope='module')
def clip_bytes(make_video, tmp_path_factory) -> bytes:
    path = make_video(tmp_path_factory.mktemp('whole') / 'clip.avi', 40)
    return path.read_bytes()


@pytest.mark.parametrize(
    ('name', 'encoder', 'pix_fmt', 'options', 'size'), CODECS, ids=[codec[0] for codec in CODECS]
)
def test_every_frame_equals_the_source(name, encoder, pix_fmt, options, size, tmp_path):
    source = moving_waves(6 if encoder == 'dvvideo' else 60, *size)
    path = encode(tmp_path / name, source, encoder, pix_fmt, options)
    decoded = open_recording(path).frames(range(len(source)))
    assert len(open_recording(path)) == len(source)
    error = np.abs(decoded.astype(int) - source).mean((1, 2, 3))
    assert error.max() < 2
    for index in (len(source) - 1, 1):
        np.testing.assert_array_equal(open_recording(path).frames([index])[0], decoded[index])


@pytest.mark.parametrize('size', [(112, 112), (57, 64), (64, 57)])
@pytest.mark.parametrize(
    ('name', 'fourcc'),
    [('clip.avi', 'MJPG'), ('clip.mp4', 'mp4v'), ('clip.mov', 'mp4v'), ('clip.mkv', 'MJPG')],
)
def test_progressive_pixels_equal_those_of_opencv(name, fourcc, size, make_video, tmp_path):
    path = str(make_video(tmp_path / name, 30, size=size, fourcc=fourcc, fps=37))
    capture, plain = cv2.VideoCapture(path), []
    while (read := capture.read())[0]:
        plain.append(read[1][..., ::-1])
    recording = open_recording(path)
    assert len(recording) == 30
    assert recording.fps == pytest.approx(37)
    wanted = [27, 3, 3, 17, 0, 29]
    decoded = recording.frames(wanted)
    assert decoded.dtype == np.uint8
    assert decoded.flags.writeable
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


@pytest.mark.parametrize(
    ('name', 'encoder', 'pix_fmt', 'options'),
    [
        ('h264.mp4', 'libx264', 'yuv420p', H264),
        ('mpeg4.mp4', 'mpeg4', 'yuv420p', {**FINE, 'bf': '2'}),
        ('mjpeg.mov', 'mjpeg', 'yuvj420p', FINE),
    ],
)
def test_frames_hidden_by_an_edit_list_do_not_count(name, encoder, pix_fmt, options, tmp_path):
    source = moving_waves(65, 48, 64)
    path = encode(tmp_path / name, source, encoder, pix_fmt, options, hidden=25)
    recording = open_recording(path)
    assert len(recording) == 40
    decoded = recording.frames([0, 39]).astype(int)
    assert np.abs(decoded - source[[25, 64]]).mean() < 2


@pytest.mark.parametrize('name', ['variable.mp4', 'variable.mkv'])
def test_a_variable_frame_rate_keeps_each_frame_once(name, tmp_path):
    source = moving_waves(40, 48, 64)
    times = np.random.default_rng(0).integers(10, 90, 40).cumsum().tolist()
    path = encode(tmp_path / name, source, 'libx264', 'yuv420p', H264, times_ms=times)
    recording = open_recording(path)
    assert len(recording) == 40
    assert np.abs(recording.frames(range(40)).astype(int) - source).mean((1, 2, 3)).max() < 2


def test_a_rotated_video_is_upright(tmp_path):
    path = encode(tmp_path / 'phone.mp4', moving_waves(5, 48, 64), 'libx264', 'yuv420p', H264)
    upright = open_recording(path).frames([3])
    content = bytearray(path.read_bytes())
    place = content.index(b'tkhd') + 44
    clockwise = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    content[place : place + 36] = struct.pack('>9i', *clockwise)
    rotated = tmp_path / 'rotated.mp4'
    rotated.write_bytes(content)
    np.testing.assert_array_equal(
        open_recording(rotated).frames([3])[0], cv2.rotate(upright[0], cv2.ROTATE_90_CLOCKWISE)
    )


def test_a_colon_in_the_name_is_no_protocol(clip_bytes, tmp_path):
    path = tmp_path / 'http:clip%03d.avi'
    path.write_bytes(clip_bytes)
    assert len(open_recording(path)) == 40


@pytest.mark.parametrize('part', [0.15, 0.4, 0.66, 0.9, 0.97, 0.999])
def test_a_truncated_avi_ends_with_its_last_complete_frame(part, clip_bytes, tmp_path):
    whole = tmp_path / 'whole.avi'
    whole.write_bytes(clip_bytes)
    cut = tmp_path / 'cut.avi'
    cut.write_bytes(clip_bytes[: int(len(clip_bytes) * part)])
    recording = open_recording(cut)
    assert 0.8 * part * 40 - 2 < len(recording) <= 40
    everything = range(len(recording))
    np.testing.assert_array_equal(
        recording.frames(everything), open_recording(whole).frames(everything)
    )


@pytest.mark.parametrize('stated', [0, 400, 4294967295])
def test_the_frame_count_in_the_header_is_ignored(stated, clip_bytes, tmp_path):
    wrong = bytearray(clip_bytes)
    for chunk, offset in ((b'avih', 8 + 16), (b'strh', 8 + 32)):
        place = clip_bytes.index(chunk) + offset
        assert struct.unpack('<I', wrong[place : place + 4]) == (40,)
        wrong[place : place + 4] = struct.pack('<I', stated)
    path = tmp_path / 'wrong.avi'
    path.write_bytes(wrong)
    recording = open_recording(path)
    assert len(recording) == 40
    assert recording.frames([39]).mean() > 10


def test_a_video_without_frames_raises_with_a_reason(clip_bytes, tmp_path):
    path = tmp_path / 'header.avi'
    path.write_bytes(clip_bytes[:2000])
    with pytest.raises(RecordingError, match=r'header\.avi: .*(truncated|no frame)'):
        open_recording(path)


@pytest.mark.parametrize('intact', [0.0, 0.5])
def test_a_damaged_frame_raises_with_a_reason(intact, clip_bytes, tmp_path):
    damaged = bytearray(clip_bytes)
    start = damaged.index(b'00dc', len(damaged) // 2)
    size = int.from_bytes(damaged[start + 4 : start + 8], 'little')
    first = int(intact * size)
    damaged[start + 8 + first : start + 8 + size] = b'\xaa' * (size - first)
    path = tmp_path / 'damaged.avi'
    path.write_bytes(damaged)
    recording = open_recording(path)
    with pytest.raises(RecordingError, match='damaged: not all of the frames 0 to 39'):
        recording.frames(range(len(recording)))


def test_damage_that_other_frames_depend_on_is_found_on_opening(tmp_path):
    options = {**FINE, 'g': '12'}
    path = encode(tmp_path / 'clip.avi', moving_waves(60, 48, 64), 'mpeg4', 'yuv420p', options)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)
    path.write_bytes(damaged)
    with pytest.raises(RecordingError, match=r'clip\.avi: damaged'):
        open_recording(path)


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
