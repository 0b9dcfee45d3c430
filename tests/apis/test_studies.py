"""Volumes of a study against an ellipsoid, whose volume is known."""

import numpy as np
import pytest

from echocardmae_mm.apis.measurements import measure_ventricle
from echocardmae_mm.apis.studies import biplane_studies


def ellipse(width, length=80.0, size=112):
    """A ventricle that is an ellipse, 1 mm per pixel."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return (x / (width / 2)) ** 2 + (y / (length / 2)) ** 2 < 1


def row(name, view, ed_width, es_width, study='s'):
    widths = es_width + (ed_width - es_width) * (
        0.5 + 0.5 * np.cos(np.arange(100) / 50 * 2 * np.pi)
    )
    masks = np.stack([ellipse(width) for width in widths])
    found = measure_ventricle(masks, 50, (1.0, 1.0))
    about = {'recording': name, 'patient': 'p', 'study': study, 'view': view, 'status': 'measured'}
    marks = {'training_data': 'synthetic', 'use': 'research only'}
    return {**about, **found.values, **marks, 'disks': found.disks}


def volume(*axes):
    return 4 / 3 * np.pi * np.prod(np.array(axes) / 2) / 1000


def test_two_views_are_combined_and_one_stands_alone():
    rows = [row('a', '4CH', 50, 36), row('b', '2CH', 40, 30), row('c', '4CH', 50, 36, 'alone')]
    biplane, single = biplane_studies(rows)
    assert (biplane['method'], biplane['views']) == ('biplane', '4CH 2CH')
    assert biplane['edv_ml'] == pytest.approx(volume(80, 50, 40), rel=0.03)
    assert biplane['esv_ml'] == pytest.approx(volume(80, 36, 30), rel=0.03)
    assert single['method'] == 'single-plane'
    assert (single['training_data'], single['use']) == ('synthetic', 'research only')
    assert single['edv_ml'] == pytest.approx(volume(80, 50, 50), rel=0.03)
    expected = 100 * (1 - biplane['esv_ml'] / biplane['edv_ml'])
    assert biplane['ef_outline_percent'] == pytest.approx(expected)


def test_recordings_without_volumes_make_no_study():
    refused = {**row('a', '4CH', 50, 36), 'status': 'refused'}
    unknown = {**row('b', '4CH', 50, 36), 'disks': None}
    assert biplane_studies([refused, unknown]) == []


def test_other_views_give_no_volumes():
    others = [row('a', 'other', 50, 36), row('b', 'other', 40, 30)]
    assert biplane_studies(others) == []
    (study,) = biplane_studies([*others, row('c', '4CH', 50, 36)])
    assert (study['method'], study['recordings']) == ('single-plane', 'c')
