"""Contents of the plots of a table of images."""

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.seg_plots import area_agreement, dice_by_instant


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            'instant': ['ED', 'ES', 'ED', 'ES'],
            'left_ventricle/dice': [0.9, 0.8, 0.7, np.nan],
            'left_ventricle/true': [100, 50, 120, 0],
            'left_ventricle/predicted': [110, 55, 132, 0],
        }
    )


def test_dice_by_instant_shows_count_and_mean():
    figure = dice_by_instant(table(), ['left_ventricle'])
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert labels == [
        'left ventricle\nED\nn = 2\nmean 0.800',
        'left ventricle\nES\nn = 1\nmean 0.800',
    ]


def test_area_agreement_shows_points_and_bias():
    axis = area_agreement(table(), ['left_ventricle']).axes[0]
    points = axis.collections[0].get_offsets()
    np.testing.assert_array_equal(points, [[100, 110], [50, 55], [120, 132], [0, 0]])
    assert axis.get_title() == 'left ventricle: 4 images, area +10.0 %'
