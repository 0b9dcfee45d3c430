"""Write the measurements of one recording: overlay, stills, curve and tables."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike
from pathlib import Path

import av
import cv2
import numpy as np
from matplotlib.figure import Figure

from echocardmae_mm.apis.measurements import VENTRICLE
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.evaluation.plotting import open_axes
from echocardmae_mm.evaluation.segmentation_plot import draw_outlines
from echocardmae_mm.utils.atomic_files import atomic_path, atomic_write_text
from echocardmae_mm.utils.errors import UserError

ASSUMED_FPS = 50.0
NOTE = 'research use only'
SYNTHETIC_NOTE = 'model of synthetic data'
_LEAST_SIDE = 336
_INSTANTS = {'ED': 'end-diastole', 'ES': 'end-systole'}


def write_outputs(folder: str | PathLike[str], result: Prediction) -> None:
    """Write all results of a recording.

    Writes ``overlay.mp4`` (H.264), ``thumbnail.jpg``, and of a ventricle that was measured
    ``ed.png``, ``es.png``, ``curve.png``, ``frames.csv`` and ``beats.csv``.

    Args:
        folder (str | PathLike): Folder, which is created.
        result (Prediction): A prediction of a recording that could be read.

    Raises:
        UserError: If there are no frames.
    """
    folder = Path(folder)
    drawn = draw_frames(result)
    folder.mkdir(parents=True, exist_ok=True)
    write_video(folder / 'overlay.mp4', drawn, result.fps)
    still = len(drawn) // 2
    ventricle = result.ventricle
    if ventricle is not None:
        for name, table in (('frames', ventricle.frames), ('beats', ventricle.beats)):
            text = table.assign(**result.marks).to_csv(index=False)
            atomic_write_text(folder / f'{name}.csv', text)
        curve(result).savefig(folder / 'curve.png', dpi=110, metadata={'Software': None})
        if not ventricle.beats.empty:
            first = ventricle.beats.iloc[0]
            still = int(first['ed_frame'])
            for name in ('ed', 'es'):
                _write_image(folder / f'{name}.png', drawn[int(first[f'{name}_frame'])])
    _write_image(folder / 'thumbnail.jpg', cv2.resize(drawn[still], (160, 160)))


def draw_frames(result: Prediction) -> np.ndarray:
    """Draw outlines, frame numbers, instants and the permitted use on the frames.

    Returns:
        np.ndarray: uint8 RGB of shape (T, H, W, 3), with even sides.

    Raises:
        UserError: If there are no frames.
    """
    if result.framed is None:
        raise UserError(f'no frames to draw: {result.values["reason"]}')
    frames = result.framed.shown()
    height, width = frames.shape[1:3]
    scale = max(1, -(-_LEAST_SIDE // max(height, width)))
    size = width * scale // 2 * 2, height * scale // 2 * 2
    instants = (
        result.ventricle.frames['instant'] if result.ventricle is not None else [''] * len(frames)
    )
    drawn = np.empty((len(frames), size[1], size[0], 3), np.uint8)
    for index, (frame, instant) in enumerate(zip(frames, instants)):
        shown = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        if result.labels is not None:
            labels = cv2.resize(result.labels[index], size, interpolation=cv2.INTER_NEAREST_EXACT)
            shown = draw_outlines(shown, labels, result.palette[1:], max(1, scale // 2))
        _write_text(shown, f'{index} {_INSTANTS.get(instant, "")}', size[1] - 8)
        for line, note in enumerate(_notes(result)):
            _write_text(shown, note, 14 + 14 * line, 0.35)
        drawn[index] = shown
    return drawn


def write_video(path: Path, frames: np.ndarray, fps: float | None) -> None:
    """Write a video that browsers play (H.264 in MP4); the bytes depend on the frames alone.

    Args:
        path (Path): The file, which appears whole or not at all.
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3), with even sides.
        fps (float, optional): Frames per second; None is shown at 50.
    """
    # A refused recording can have any frame rate.
    rate = Fraction(min(max(fps or ASSUMED_FPS, 1), 1000)).limit_denominator(1000)
    options = {'movflags': 'faststart'}
    with (
        atomic_path(path) as part,
        av.open(str(part), 'w', format='mp4', options=options) as file,
    ):
        stream = file.add_stream('libx264', rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        # Adaptive quantisation reads memory that nobody wrote, so its bytes differ between runs.
        x264 = 'no-mbtree=1:aq-mode=0'
        stream.options = {'crf': '23', 'preset': 'veryfast', 'x264-params': x264}
        stream.codec_context.thread_count = 1
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        file.mux(stream.encode())


def curve(result: Prediction) -> Figure:
    """Plot volume, or area without a spacing, with end-diastole and end-systole marked."""
    assert result.ventricle is not None
    table, beats = result.ventricle.frames, result.ventricle.beats
    column, label = 'area_pixels', 'area (pixels)'
    if 'volume_ml' in table:
        column, label = 'volume_ml', 'volume (mL)'
    values = table[column].to_numpy(np.float64)
    time = table['frame'].to_numpy() / (result.fps or 1)
    figure, axis = open_axes(8.4, 3.2)
    axis.plot(time, values, color='0.35', linewidth=1.4)
    for name, colour, frames in (
        ('end-diastole', 'tab:blue', beats['ed_frame']),
        ('end-systole', 'tab:red', beats['es_frame']),
    ):
        at = frames.to_numpy(int)
        marks = axis.scatter(time[at], values[at], s=42, color=colour, label=name, zorder=3)
        marks.set_clip_on(False)
    axis.set(xlabel='seconds' if result.fps else 'frame', ylabel=f'{VENTRICLE}: {label}')
    axis.set_ylim(bottom=0)
    axis.legend(loc='lower right', frameon=False, fontsize=9)
    axis.set_title(', '.join(_notes(result)), loc='right', fontsize=8)
    return figure


def _notes(result: Prediction) -> list[str]:
    return [NOTE, SYNTHETIC_NOTE] if result.is_synthetic else [NOTE]


def _write_text(image: np.ndarray, text: str, baseline: int, size: float = 0.45) -> None:
    place, font = (6, baseline), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(image, text, place, font, size, (255, 255, 255), 1, cv2.LINE_AA)


def _write_image(path: Path, image: np.ndarray) -> None:
    """Write RGB as PNG or JPEG; on a full disk, OpenCV returns False without an error."""
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise OSError(28, 'cannot be written; is the disk full?', str(path))
