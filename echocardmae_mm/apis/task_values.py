"""Turn what a model predicts for the clips of a recording into columns of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.evaluation.conformal import ConformalInterval
from echocardmae_mm.evaluation.temperature_scaling import TemperatureScaling


def _ejection_fraction(bundle: Bundle, clips: np.ndarray) -> dict[str, Any]:
    ef = float(clips.mean())
    spread = float(clips.std(ddof=1, dtype=np.float64)) if len(clips) > 1 else 0.0
    values = {'ef_percent': ef, 'ef_clip_sd_percent': spread, 'ef_model': bundle.name}
    if interval := bundle.calibration.get('interval'):
        low, high = np.clip(ConformalInterval(**interval)(ef), 0.0, 100.0).tolist()
        values |= {'ef_low_percent': low, 'ef_high_percent': high}
    return values


def _diagnosis(bundle: Bundle, clips: np.ndarray) -> dict[str, Any]:
    probabilities = clips.mean(axis=0)
    if temperature := bundle.calibration.get('temperature'):
        probabilities = TemperatureScaling(**temperature)(probabilities)
    found = list(zip(bundle.config.classes, probabilities.tolist()))
    if len(found) == 2:
        found = found[1:]  # the other probability is the rest
    values = {f'{name.replace(" ", "_")}_probability': score for name, score in found}
    calibrated = bool(temperature)
    return {**values, 'diagnosis_calibrated': calibrated, 'diagnosis_model': bundle.name}


def _view(bundle: Bundle, clips: np.ndarray) -> dict[str, Any]:
    probabilities = clips.mean(axis=0)
    index = int(probabilities.argmax())
    return {
        'view': bundle.config.classes[index],
        'view_source': 'predicted',
        'view_probability': float(probabilities[index]),
        'view_model': bundle.name,
    }


#: By task, a function of the bundle and the predictions of all clips, in the order of calls.
TASK_VALUES = {
    'view': _view,
    'ejection_fraction': _ejection_fraction,
    'diagnosis': _diagnosis,
}
