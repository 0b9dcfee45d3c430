"""The plots show the numbers they are drawn from."""

import numpy as np
import pytest

from echocardmae_mm.evaluation.ef_plots import (
    bland_altman,
    error_by_ef_class,
    predicted_against_true,
)

EF = np.array([22.0, 35.0, 45.0, 55.0, 62.0, 68.0])
PREDICTED = EF + np.array([6.0, -2.0, 3.0, 0.0, -4.0, 1.0])


def texts(figure) -> str:
    axis = figure.axes[0]
    return ' '.join(
        [axis.get_title(), axis.get_xlabel(), axis.get_ylabel()]
        + [text.get_text() for text in axis.texts]
        + [label.get_text() for label in axis.get_xticklabels()]
    )


def test_points_of_predicted_against_true():
    figure = predicted_against_true(EF, PREDICTED)
    points = figure.axes[0].collections[-1].get_offsets()
    np.testing.assert_allclose(points, np.stack([EF, PREDICTED], 1))
    assert '6 recordings: mean absolute error 2.7 points' in texts(figure)
    assert 'predicting the median for all: 13.8' in texts(figure)


def test_lines_of_bland_altman():
    figure = bland_altman(EF, PREDICTED)
    difference = PREDICTED - EF
    levels = sorted(line.get_ydata()[0] for line in figure.axes[0].lines[1:])
    spread = 1.96 * difference.std(ddof=1)
    mean = difference.mean()
    np.testing.assert_allclose(levels, [mean - spread, mean, mean + spread])
    assert f'bias\n{mean:+.1f}' in texts(figure)
    low, high = figure.axes[0].get_ylim()
    assert low < levels[0] < levels[2] < high


def test_each_class_shows_count_and_error():
    figure = error_by_ef_class(EF, PREDICTED)
    shown = texts(figure)
    assert '< 30 %\nn = 1\nMAE 6.0' in shown
    assert '≥ 50 %\nn = 3\nMAE 1.7' in shown
    drawn = np.concatenate([c.get_offsets()[:, 1] for c in figure.axes[0].collections])
    assert sorted(drawn) == pytest.approx(sorted(PREDICTED - EF))


def test_an_empty_class_and_one_recording_can_be_drawn(tmp_path):
    one = np.array([60.0])
    for number, draw in enumerate((predicted_against_true, bland_altman, error_by_ef_class)):
        draw(one, one + 1).savefig(tmp_path / f'{number}.png')
    assert 'n = 0' in texts(error_by_ef_class(one, one))
