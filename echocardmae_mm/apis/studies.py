"""Combine the recordings of a study; with both views, volumes are biplane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from echocardmae_mm.apis.prediction import MARKS
from echocardmae_mm.evaluation.volumes import LongAxis, ejection_fraction, sum_of_disks

_MM3_OF_ML = 1000.0
_VIEWS = ('4CH', '2CH')
Row = Mapping[str, Any]


def biplane_studies(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Compute volumes and ejection fraction of each study.

    The recording with the most beats represents its view. With a 4CH and a 2CH recording, volumes
    are biplane (modified Simpson), with one of them single-plane. Other views give none.

    Args:
        rows (Sequence[Mapping]): Rows of the recordings, with ``disks`` where there are volumes.

    Returns:
        list[dict[str, Any]]: One row for each study that has volumes.
    """
    studies: dict[str, list[Row]] = {}
    for row in rows:
        if row.get('view') in _VIEWS and row.get('disks') and row['status'] == 'measured':
            studies.setdefault(row['study'], []).append(row)
    return [_study(name, members) for name, members in studies.items()]


def _study(name: str, members: list[Row]) -> dict[str, Any]:
    planes = {
        view: max((row for row in members if row['view'] == view), key=lambda row: row['beats'])
        for view in _VIEWS
        if any(row['view'] == view for row in members)
    }
    used = list(planes.values())
    method = 'biplane' if len(used) == 2 else 'single-plane'
    volumes = [
        sum_of_disks(_axis(used[0], instant), _axis(used[-1], instant)) / _MM3_OF_ML
        for instant in ('ed', 'es')
    ]
    return {
        'study': name,
        'patient': used[0]['patient'],
        'method': method,
        'views': ' '.join(planes),
        'recordings': ' '.join(row['recording'] for row in used),
        'edv_ml': volumes[0],
        'esv_ml': volumes[1],
        'stroke_volume_ml': volumes[0] - volumes[1],
        'ef_outline_percent': ejection_fraction(*volumes),
        **{name: used[0][name] for name in MARKS},
    }


def _axis(row: Row, instant: str) -> LongAxis:
    disks = row['disks'][instant]
    return LongAxis(disks['length_mm'], np.array(disks['diameters_mm']))
