"""The plots show the numbers they are drawn from."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from echocardmae_mm.evaluation.diagnosis_plots import (
    calibration,
    confusion_matrix,
    roc_and_precision_recall,
)


def recordings(n: int = 109) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    positive = generator.random(n) < 0.6
    return positive, np.clip(generator.normal(0.35 + 0.3 * positive, 0.25), 0, 1)


def line(axis, label: str) -> np.ndarray:
    return next(part for part in axis.lines if part.get_label().startswith(label)).get_xydata()


def test_curves_match_scikit_learn():
    positive, scores = recordings()
    roc, precision_recall = roc_and_precision_recall(positive, scores).axes
    false_alarms, sensitivity, _ = roc_curve(positive, scores, drop_intermediate=False)
    expected = 100 * np.stack([false_alarms, sensitivity], 1)
    np.testing.assert_allclose(line(roc, f'AUROC {roc_auc_score(positive, scores):.3f}'), expected)
    precision, sensitivity, _ = precision_recall_curve(positive, scores)
    expected = 100 * np.stack([sensitivity, precision], 1)[-2::-1]
    np.testing.assert_allclose(line(precision_recall, 'AUPRC')[1:], expected)


def test_the_threshold_lies_on_both_curves():
    positive, scores = recordings()
    called = scores >= 0.5
    sensitivity, alarms = 100 * called[positive].mean(), 100 * called[~positive].mean()
    roc, precision_recall = roc_and_precision_recall(positive, scores).axes
    np.testing.assert_allclose(line(roc, 'at a threshold')[0], [alarms, sensitivity])
    expected = [sensitivity, 100 * positive[called].mean()]
    np.testing.assert_allclose(line(precision_recall, 'at a threshold')[0], expected)


def test_cells_of_the_confusion_matrix():
    positive = np.array([True] * 4 + [False] * 2)
    figure = confusion_matrix(positive, np.array([0.9, 0.8, 0.5, 0.1, 0.7, 0.2]))
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ['3\n75 %', '1\n25 %', '1\n50 %', '1\n50 %']
    assert figure.axes[0].get_title() == '6 recordings: 4 correct'


@pytest.mark.parametrize(('n', 'bins'), [(22, 3), (109, 5), (1000, 10)])
def test_calibration_has_bins_for_its_size_and_counts_all(n, bins):
    positive, scores = recordings(n)
    axis, below = calibration(positive, scores).axes
    shares, means = calibration_curve(positive, scores, n_bins=bins)
    points = axis.containers[0].lines[0].get_xydata()
    np.testing.assert_allclose(points, np.stack([means, shares], 1))
    assert sum(bar.get_height() for bar in below.patches) == n
    assert [text.get_text() for text in below.texts] == [
        f'{bar.get_height():.0f}' for bar in below.patches
    ]


@pytest.mark.parametrize('score', [0.0, 1.0])
def test_one_recording_can_be_drawn(tmp_path, score):
    for number, draw in enumerate((confusion_matrix, calibration)):
        draw(np.array([True]), np.array([score])).savefig(tmp_path / f'{number}.png')
