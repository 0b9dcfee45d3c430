"""The tables of a run: results.csv, results.json and studies.csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text

RESULTS = ('results.csv', 'results.json', 'studies.csv')

#: Columns of ``results.csv`` and what they hold; diagnoses follow as ``<name>_probability``.
COLUMNS = {
    'recording': 'pseudonym of the recording',
    'file': 'path below the given root, with --keep-names',
    'patient': 'pseudonym of the patient',
    'study': 'pseudonym of the study',
    'status': 'measured or refused',
    'reason': 'why nothing, or no ejection fraction, is given',
    'flags': 'doubts, by name',
    'view': '4CH, 2CH or other',
    'view_source': 'given, file, predicted or assumed',
    'view_probability': 'probability of a predicted view',
    'view_model': 'name and hash of the model',
    'training_distance': 'distance of the features from those of the training set; 1 is far',
    'frames': 'number of frames',
    'fps': 'frames per second',
    'pixel_height_mm': 'height of a pixel of the frames that the models saw',
    'pixel_width_mm': 'width of such a pixel',
    'ef_percent': 'ejection fraction by regression',
    'ef_low_percent': 'lower end of its interval',
    'ef_high_percent': 'upper end of its interval',
    'ef_clip_sd_percent': 'its standard deviation over clips',
    'ef_model': 'name and hash of the model',
    'ef_outline_percent': 'ejection fraction from outlines (smoothed volume), mean over beats',
    'ef_outline_sd_percent': 'its standard deviation over beats',
    'beats': 'number of beats',
    'heart_rate_bpm': 'beats per minute',
    'edv_ml': 'volume in the end-diastolic frame, mean over beats',
    'esv_ml': 'volume in the end-systolic frame, mean over beats',
    'stroke_volume_ml': 'their difference',
    'long_axis_ed_mm': 'long axis at end-diastole',
    'area_ed_cm2': 'area at end-diastole',
    'area_es_cm2': 'area at end-systole',
    'segmentation_model': 'name and hash of the model',
    'diagnosis_calibrated': 'whether the probabilities are calibrated (temperature scaling)',
    'diagnosis_model': 'name and hash of the model',
    'training_data': 'what the models were trained on: synthetic (at least one) or recordings',
    'use': 'what the measurements are for: research only, not diagnosis',
}


def results_table(
    folder: Path, rows: Sequence[dict[str, Any]], studies: Sequence[dict[str, Any]]
) -> None:
    """Write the tables, with a row for each recording and for each study."""
    found = {name for row in rows for name in row}
    diagnoses = sorted(name for name in found - COLUMNS.keys() if name.endswith('_probability'))
    columns = [name for name in COLUMNS if name in found] + diagnoses
    table = pd.DataFrame(rows).reindex(columns=columns)
    atomic_write_text(folder / 'results.csv', table.to_csv(index=False, float_format='%.6g'))
    content = {
        'note': 'research use only',
        'columns': {name: COLUMNS.get(name, 'probability of the diagnosis') for name in columns},
        'recordings': list(rows),
        'studies': list(studies),
    }
    atomic_write_text(folder / 'results.json', json_text(content))
    studies_table = pd.DataFrame(studies).to_csv(index=False, float_format='%.6g')
    atomic_write_text(folder / 'studies.csv', studies_table if studies else 'study\n')
