"""Doubts about a recording, each with a name and a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, label

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.measurements import Ventricle
from echocardmae_mm.apis.prediction import Flag, Prediction
from echocardmae_mm.datasets.recordings import Recording

#: Default thresholds; ``calibration.json`` of a bundle may hold others under ``gate``.
THRESHOLDS: dict[str, float] = {
    'min_seconds': 0.6,
    'max_colour_share': 0.01,
    'min_edv_ml': 15.0,
    'max_edv_ml': 500.0,
    'max_area_jump': 0.3,
    'max_parts_share': 0.2,
    'max_edge_share': 0.35,
    'max_empty_share': 0.05,
    'max_apex_tilt': 0.5,
}
_SATURATION = 60
_EDGE_PIXELS = 2


def find_flags(
    result: Prediction, recording: Recording, bundles: Mapping[str, Bundle]
) -> list[Flag]:
    """Find the doubts about a recording and its measurements.

    Args:
        result (Prediction): The measurements.
        recording (Recording): The recording.
        bundles (Mapping[str, Bundle]): The bundles by task; their thresholds take precedence.

    Returns:
        list[Flag]: The most serious first.
    """
    limits = dict(THRESHOLDS)
    for bundle in bundles.values():
        limits |= bundle.calibration.get('gate', {})
    assert result.framed is not None
    flags = [
        *_of_time(len(recording), result.fps, limits),
        *_of_image(result.framed, limits),
        *(_of_ventricle(result.ventricle, result, limits) if result.ventricle else ()),
        *_of_metadata(result),
    ]
    return sorted(flags, key=lambda flag: not flag.refuses)


def reason_to_refuse(flags: Sequence[Flag]) -> str:
    """Why no measurement is given, or ''."""
    return '; '.join(flag.text for flag in flags if flag.refuses)


def _of_time(frames: int, fps: float | None, limits: Mapping[str, float]) -> Iterator[Flag]:
    seconds = frames / (fps or 50)
    if seconds < limits['min_seconds']:
        text = f'{frames} frames last {seconds:.2f} s, less than a heartbeat'
        yield Flag('too_short', text, True)


def _of_image(framed: Framed, limits: Mapping[str, float]) -> Iterator[Flag]:
    inside = binary_erosion(framed.sector, iterations=_EDGE_PIXELS)
    some = framed.frames[:: max(1, len(framed.frames) // 8)][:, inside].astype(np.int16)
    share = float((some.max(-1) - some.min(-1) > _SATURATION).mean())
    if share > limits['max_colour_share']:
        text = f'{100 * share:.1f} % of the sector is coloured, as in colour Doppler'
        yield Flag('colour', text, True)
    if (tilt := _apex_tilt(framed.sector)) > limits['max_apex_tilt']:
        yield Flag('rotated', f'the apex of the sector is not on top (tilt {tilt:.2f})', True)


def _apex_tilt(sector: np.ndarray) -> float:
    """How far the narrow end of a sector is from the top: 0 for upright, 1 for a quarter turn."""
    rows, columns = np.nonzero(sector)
    height, width = sector.shape
    vertical = (rows.mean() + 0.5) / height - 0.5
    horizontal = (columns.mean() + 0.5) / width - 0.5
    # The centroid lies away from the apex: below the middle of an upright sector.
    upright = max(vertical, 0.0)
    away = max(abs(horizontal), -vertical)
    return float(away / (upright + away)) if upright + away > 0.02 else 0.0


def _of_ventricle(
    ventricle: Ventricle, result: Prediction, limits: Mapping[str, float]
) -> Iterator[Flag]:
    frames = ventricle.frames
    area = frames['area_pixels'].to_numpy(np.float64)
    empty = float((area == 0).mean())
    if empty > limits['max_empty_share']:
        yield Flag('no_ventricle', f'no ventricle in {100 * empty:.0f} % of the frames', True)
    if ventricle.beats.empty:
        yield Flag('no_beat', 'no beat was found', True)
    edv = ventricle.values.get('edv_ml')
    if edv is not None and not limits['min_edv_ml'] <= edv <= limits['max_edv_ml']:
        yield Flag('volume', f'an end-diastolic volume of {edv:.0f} mL is implausible', True)
    present = area[area > 0]
    if len(present) > 1:
        jump = float(np.percentile(np.abs(np.diff(present)), 95) / present.max())
        if jump > limits['max_area_jump']:
            yield Flag('area_jumps', f'the area jumps by {100 * jump:.0f} % between frames', True)
    yield from _of_outlines(result, limits)


def _of_outlines(result: Prediction, limits: Mapping[str, float]) -> Iterator[Flag]:
    assert result.labels is not None
    assert result.framed is not None
    masks = result.labels == result.classes.index('left ventricle')
    some = masks[:: max(1, len(masks) // 16)]
    parts = float(np.mean([label(mask)[1] > 1 for mask in some]))
    if parts > limits['max_parts_share']:
        text = f'the ventricle has several parts in {100 * parts:.0f} % of the frames'
        yield Flag('several_parts', text, False)
    rim = binary_dilation(~result.framed.sector, iterations=_EDGE_PIXELS)
    outlines = [mask & ~binary_erosion(mask) for mask in some]
    touching = float(np.mean([(line & rim).sum() / max(line.sum(), 1) for line in outlines]))
    if touching > limits['max_edge_share']:
        text = f'{100 * touching:.0f} % of the outline lies on the edge of the sector'
        yield Flag('cut_off', text, False)


def _of_metadata(result: Prediction) -> Iterator[Flag]:
    assert result.framed is not None
    if result.fps is None:
        text = 'the frame rate is unknown; give it with --fps'
        yield Flag('unknown_fps', text, False)
    if result.ventricle is not None and result.framed.spacing is None:
        text = 'the size of a pixel is unknown, so there are no volumes; give it with --spacing'
        yield Flag('unknown_spacing', text, False)
    if result.values['view'] != '4CH':
        yield Flag('view', f'the models know the view 4CH, not {result.values["view"]}', False)
