"""The model card of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from echocardmae_mm.evaluation.feature_distance import FeatureDistance

TITLES = {
    'ejection_fraction': 'Ejection fraction of the left ventricle',
    'segmentation': 'Segmentation of echocardiograms',
    'diagnosis': 'Diagnosis from echocardiograms',
    'view': 'View of echocardiograms',
    'features': 'Features of echocardiograms',
}
_HUGGING_FACE_TASKS = {
    'ejection_fraction': 'video-classification',
    'segmentation': 'image-segmentation',
    'diagnosis': 'video-classification',
    'view': 'video-classification',
    'features': 'feature-extraction',
}


def model_card(
    settings: Mapping[str, Any],
    data: Mapping[str, Any],
    licence: str,
    result: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
    distance: FeatureDistance | None = None,
) -> str:
    """Write a model card in Markdown, with the front matter of Hugging Face.

    Args:
        settings (Mapping[str, Any]): Settings of the bundle.
        data (Mapping[str, Any]): Training data: ``data``, ``recordings``, ``patients``, ``fps``.
        licence (str): Licence of the weights.
        result (Mapping[str, Any], optional): Content of ``test.json``. Defaults to None, untested.
        calibration (Mapping[str, Any], optional): Content of ``calibration.json``. Defaults to
            None, not calibrated.
        distance (FeatureDistance, optional): Distance of unusual features. Defaults to None.

    Returns:
        str: The card; the bundle's writer replaces WEIGHTS_SHA256.
    """
    environment = Environment(
        loader=PackageLoader('echocardmae_mm.apis'),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    return environment.get_template('model_card.md.j2').render(
        settings=settings,
        data=data,
        licence=licence,
        title=TITLES[settings['task']],
        pipeline_tag=_HUGGING_FACE_TASKS[settings['task']],
        metrics=_rows(result['metrics']) if result else [],
        tested=result,
        calibration=calibration or {},
        distance=distance,
    )


def _rows(metrics: Mapping[str, float | None]) -> list[tuple[str, str]]:
    """Metrics of a test with their intervals, as text."""
    rows = []
    for name, value in metrics.items():
        if name.endswith(('_low', '_high')) or value is None:
            continue
        low, high = metrics.get(f'{name}_low'), metrics.get(f'{name}_high')
        ends = '' if low is None or high is None else f' [{low:.3g}, {high:.3g}]'
        rows.append((name, f'{value:.4g}{ends}'))
    return rows
