"""The temperature is the most likely one, and probabilities agree with frequencies after it."""

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss

from echocardmae_mm.evaluation.temperature_scaling import (
    TemperatureScaling,
    calibration_errors,
    fit_temperature,
)


def overconfident(n, classes, temperature, seed=0):
    """Probabilities whose logits are ``temperature`` times the true ones, and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, classes))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(classes, p=row) for row in true])
    scaled = np.exp(temperature * logits)
    return scaled / scaled.sum(1, keepdims=True), labels


@pytest.mark.parametrize('classes', [2, 3])
@pytest.mark.parametrize('temperature', [0.5, 3.0])
def test_equals_the_best_of_a_grid_and_finds_the_true_one(classes, temperature):
    probabilities, labels = overconfident(4000, classes, temperature)
    grid = np.geomspace(0.1, 10, 4001)
    logits, target = torch.tensor(probabilities).log(), torch.tensor(labels)
    losses = [torch.nn.functional.cross_entropy(logits / t, target).item() for t in grid]
    fitted = fit_temperature(probabilities, labels)
    assert fitted.temperature == pytest.approx(grid[np.argmin(losses)], rel=2e-3)
    assert fitted.temperature == pytest.approx(temperature, rel=0.1)
    assert fitted.n == 4000
    calibrated = fitted(probabilities)
    np.testing.assert_allclose(calibrated, (logits / fitted.temperature).softmax(-1), rtol=1e-9)
    assert (calibrated.argmax(1) == probabilities.argmax(1)).all()
    before, after = (calibration_errors(p, labels) for p in (probabilities, calibrated))
    assert after['ece'] < 0.03 < before['ece']
    assert after['brier'] < before['brier']


def test_the_errors_equal_their_definitions():
    probabilities, labels = overconfident(300, 2, 2.0)
    found = calibration_errors(probabilities, labels)
    assert found['brier'] == pytest.approx(brier_score_loss(labels, probabilities[:, 1]))
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            gap = abs(confidence[inside].mean() - right[inside].mean())
            expected += inside.mean() * gap
    assert found['ece'] == pytest.approx(expected)


def test_a_probability_of_zero_stays_finite():
    assert TemperatureScaling(2.0, 9)(np.array([0.0, 1.0])).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ('labels', 'scores', 'message'),
    [
        ([1, 1, 1], [0.9, 0.4, 0.6], '3 recordings of fewer than two classes'),
        ([0, 0, 1, 1], [0.4, 0.3, 0.7, 0.9], 'right about all 4 recordings'),
        ([0, 0, 1, 1], [0.9, 0.8, 0.3, 0.2], 'no better than chance'),
        ([0, 1], [np.nan, 0.5], 'not a finite number'),
    ],
)
def test_what_has_no_most_likely_temperature_is_refused(labels, scores, message):
    probabilities = np.stack([1 - np.array(scores), scores], axis=1)
    with pytest.raises(ValueError, match=message):
        fit_temperature(probabilities, np.array(labels))
