"""Doubts about a recording, each with a name and a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.calibration_file import strictest
from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.measurements import VENTRICLE, Ventricle
from echocardmae_mm.apis.prediction import Flag, Prediction
from echocardmae_mm.datasets.recordings import Recording
from echocardmae_mm.evaluation.volumes import largest_part
from echocardmae_mm.sector.detection import moving_hull
from echocardmae_mm.sector.geometry import TEMPLATE_SIZE, template_sector
from echocardmae_mm.sector.orientation import upright_overlap

_SATURATION = 60
_EDGE_PIXELS = 2
_BRIGHT_SHARE = 0.2  # of the brightest grey levels inside EchoNet-Dynamic's mask
_MASK_EDGE_PIXELS = 4  # Compression blurs the edge of EchoNet's mask.
_SMALL = (56, 56)
_FAR_LAGS = range(5, 12)
_BLUR = 3.0


def find_flags(
    result: Prediction, recording: Recording, bundles: Mapping[str, Bundle]
) -> list[Flag]:
    """Find the doubts about a recording and its measurements, the most serious first.

    Of the bundles, given by task, the strictest thresholds hold.
    """
    limits = strictest(bundle.calibration.get('gate', {}) for bundle in bundles.values())
    assert result.framed is not None
    flags = [
        *_of_time(len(recording), result.fps, limits),
        *_of_image(result.framed, limits),
        *_of_features(result, limits),
        *(_of_ventricle(result.ventricle, result, limits) if result.ventricle else ()),
        *_of_ejection_fractions(result.values),
        *_of_metadata(result),
        *_of_training(recording, bundles),
    ]
    return sorted(flags, key=lambda flag: not flag.refuses)


def _of_time(frames: int, fps: float | None, limits: Mapping[str, float]) -> Iterator[Flag]:
    if fps and not limits['min_fps'] <= fps <= limits['max_fps']:
        text = f'{fps:.3g} frames per second are implausible; give the right number with --fps'
        yield Flag('implausible_fps', text, True)
        return
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
    if not framed.cropped and framed.sector.shape == (TEMPLATE_SIZE, TEMPLATE_SIZE):
        # Assumed to be cropped by EchoNet-Dynamic's mask. Dark sides would look rotated.
        if (outside := _outside_mask(framed.frames)) > limits['max_outside_mask']:
            text = (
                f"{100 * outside:.0f} % of the pixels outside EchoNet-Dynamic's mask are bright: "
                'turned, mirrored or cropped otherwise'
            )
            yield Flag('outside_mask', text, True)
    elif (overlap := _overlap(framed)) < limits['min_upright_overlap']:
        text = f'no sector with its apex on top fits the image (overlap {overlap:.2f})'
        yield Flag('rotated', text, True)
    grey = framed.resized(_SMALL).max(axis=-1).astype(np.float32)
    near, far = _motion(grey)
    if far < limits['min_motion']:
        yield Flag('still', 'the image does not move', True)
    elif (ratio := near / far) > limits['max_order_ratio']:
        text = f'neighbouring frames differ as much as distant ones (ratio {ratio:.2f})'
        yield Flag('frame_order', text, True)
    if (contrast := _contrast(grey, framed.sector)) < limits['min_contrast']:
        text = f'neither cavities nor walls: brightness varies by {100 * contrast:.0f} %'
        yield Flag('no_heart', text, True)


def _outside_mask(frames: np.ndarray) -> float:
    """Share of bright pixels outside EchoNet-Dynamic's mask."""
    mask = template_sector(TEMPLATE_SIZE, TEMPLATE_SIZE)
    outside = ~binary_dilation(mask, iterations=_MASK_EDGE_PIXELS)
    brightest = frames.max(axis=(0, 3))
    bright = brightest > _BRIGHT_SHARE * np.percentile(brightest[mask], 99)
    return float(bright[outside].mean())


def _overlap(framed: Framed) -> float:
    """Overlap of the moving image with an upright sector; 1 if nothing moves."""
    try:
        return upright_overlap(moving_hull(list(framed.frames)))
    except ValueError:
        return 1.0


def _motion(grey: np.ndarray) -> tuple[float, float]:
    """Mean difference of neighbouring and of distant frames, in grey levels."""
    if len(grey) < 2:
        return 0.0, 0.0
    lags = [lag for lag in _FAR_LAGS if lag < len(grey)] or [len(grey) - 1]
    near, *far = (float(np.abs(grey[lag:] - grey[:-lag]).mean()) for lag in (1, *lags))
    return near, float(np.mean(far))


def _contrast(grey: np.ndarray, sector: np.ndarray) -> float:
    """Coefficient of variation of the blurred mean frame in the sector."""
    inside = cv2.resize(sector.astype(np.float32), _SMALL, interpolation=cv2.INTER_AREA)
    level = gaussian_filter(grey.mean(axis=0) * inside, _BLUR)
    level = (level / np.maximum(gaussian_filter(inside, _BLUR), 0.01))[inside > 0.5]
    return float(level.std() / max(level.mean(), 1.0))


def _of_features(result: Prediction, limits: Mapping[str, float]) -> Iterator[Flag]:
    distance = result.values.get('training_distance', 0.0)
    if distance > limits['max_training_distance']:
        text = (
            f'the features lie {distance:.1f} times as far from those of the training set as those '
            'of an ordinary recording at most'
        )
        yield Flag('unusual_features', text, False)


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
    masks = result.labels == result.classes.index(VENTRICLE)
    some = masks[:: max(1, len(masks) // 16)]
    drawn = [mask for mask in some if mask.any()]
    apart = float(np.mean([1 - largest_part(mask).sum() / mask.sum() for mask in drawn] or [0]))
    if apart > limits['max_apart_share']:
        text = f'{100 * apart:.0f} % of the ventricle lie apart from its largest part'
        yield Flag('several_parts', text, False)
    rim = binary_dilation(~result.framed.sector, iterations=_EDGE_PIXELS)
    outlines = [mask & ~binary_erosion(mask) for mask in some]
    touching = float(np.mean([(line & rim).sum() / max(line.sum(), 1) for line in outlines]))
    if touching > limits['max_edge_share']:
        text = f'{100 * touching:.0f} % of the outline lies on the edge of the sector'
        yield Flag('cut_off', text, False)


def _of_ejection_fractions(values: Mapping[str, Any]) -> Iterator[Flag]:
    if 'ef_outline_percent' in values and 'ef_low_percent' in values:
        low, high = values['ef_low_percent'], values['ef_high_percent']
        if not low <= values['ef_outline_percent'] <= high:
            # Without the numbers, since a refused recording shows none.
            text = 'the ejection fraction from outlines lies outside the interval of the regression'
            yield Flag('ef_disagreement', text, False)


def _of_training(recording: Recording, bundles: Mapping[str, Bundle]) -> Iterator[Flag]:
    seen = [
        bundle.name
        for bundle in bundles.values()
        if bundle.training_list is not None and bundle.training_list.holds(recording.filename)
    ]
    if seen:
        yield Flag(
            'trained_on', f'it is one of the training recordings of {", ".join(seen)}', False
        )


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
