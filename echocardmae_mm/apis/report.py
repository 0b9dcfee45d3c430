"""Report of a run of predictions: one page that opens offline."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

import echocardmae_mm
from echocardmae_mm.apis.inferencer import EchoInferencer
from echocardmae_mm.utils.atomic_files import atomic_write_text

#: Recordings whose videos are embedded; beyond it, the page links to the files beside it.
MAX_EMBEDDED = 200
_CURVE_POINTS = 400


def write_report(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    studies: Sequence[Mapping[str, Any]],
    measure: EchoInferencer,
) -> None:
    """Write ``report.html`` of a run, whose folder has ``recordings/<pseudonym>/``."""
    environment = Environment(
        loader=PackageLoader('echocardmae_mm.apis'), undefined=StrictUndefined, autoescape=True
    )
    embed = len(rows) <= MAX_EMBEDDED
    page = environment.get_template('report.html.j2').render(
        recordings=[_recording(folder, row, embed) for row in rows],
        studies=studies,
        counts=Counter(row['status'] for row in rows),
        flags=sorted({flag for row in rows for flag in (row.get('flags') or '').split()}),
        models={task.replace('_', ' '): b.name for task, b in measure.bundles.items()},
        unchecked=measure.without_feature_distance,
        synthetic=measure.synthetic,
        version=echocardmae_mm.__version__,
    )
    atomic_write_text(folder / 'report.html', page)


def _recording(folder: Path, row: Mapping[str, Any], embed: bool) -> dict[str, Any]:
    """A row with its pictures and its curve, ready for the page's script."""
    files = folder / 'recordings' / str(row['recording'])
    shown = {name: value for name, value in row.items() if name != 'disks'}
    shown['thumbnail'] = _data(files / 'thumbnail.jpg', 'image/jpeg')
    video = files / 'overlay.mp4'
    shown['video'] = ''
    if video.is_file():
        relative = f'recordings/{row["recording"]}/overlay.mp4'
        shown['video'] = _data(video, 'video/mp4') if embed else relative
    shown['curve'] = _curve(files / 'frames.csv')
    return shown


def _curve(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype={'instant': str}).fillna({'instant': ''})
    column = 'volume_ml' if 'volume_ml' in table else 'area_pixels'
    step = -(-len(table) // _CURVE_POINTS)
    values = table[column].round(2)
    return {
        'label': 'volume (mL)' if column == 'volume_ml' else 'area (pixels)',
        'frames': table['frame'].tolist()[::step],
        'values': [None if value != value else value for value in values.tolist()[::step]],
        'count': len(table),
        'ed': _points(table, values, 'ED'),
        'es': _points(table, values, 'ES'),
    }


def _points(table: pd.DataFrame, values: pd.Series, instant: str) -> list[tuple[int, float]]:
    at = table['instant'] == instant
    return list(zip(table['frame'][at].tolist(), values[at].tolist()))


def _data(path: Path, kind: str) -> str:
    if not path.is_file():
        return ''
    return f'data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}'
