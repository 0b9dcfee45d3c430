"""The curve of the ventricle's area."""

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.evaluation.area_curve import area_curve
from echocardmae_mm.evaluation.beats import Beat


def test_beats_are_marked_and_their_mean_is_shown():
    area = 20 + 5 * np.cos(np.arange(60) / 60 * 4 * np.pi)
    beats = [Beat(0, 15, 40.0), Beat(30, 45, 50.0)]
    axis = area_curve(pd.DataFrame({'area_cm2': area}), beats, fps=30).axes[0]
    diastole, systole = (marks.get_offsets() for marks in axis.collections)
    np.testing.assert_allclose(diastole, [[0, area[0]], [1, area[30]]])
    np.testing.assert_allclose(systole, [[0.5, area[15]], [1.5, area[45]]])
    assert axis.get_title() == '2 beats, ejection fraction 45 % (Simpson)'
    assert 'cm²' in axis.get_ylabel()


@pytest.mark.parametrize('fps', [None, 50])
def test_without_beats_it_says_so(fps):
    axis = area_curve(pd.DataFrame({'area_pixels': np.zeros(9)}), [], fps).axes[0]
    assert axis.get_title() == 'no beat found'
    assert axis.get_xlabel() == ('seconds' if fps else 'frame')
