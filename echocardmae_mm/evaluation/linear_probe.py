"""Predict labels from features with a linear model, tested on unseen patients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

_PENALTIES = np.logspace(5, -1, 7)  # of equally good ones, the first and strongest is chosen
_INNER_FOLDS = 5


class Probed(NamedTuple):
    """Predictions of a linear probe.

    Args:
        predicted (np.ndarray): Numbers (n,), or probabilities of the classes (n, K), of each
            recording by the model trained on the other folds.
        patients (int): Number of training patients, the rounded mean over the folds.
    """

    predicted: np.ndarray
    patients: int


def linear_probe(
    features: np.ndarray,
    targets: np.ndarray,
    patients: np.ndarray,
    folds: Mapping[str, int],
    share: float = 1.0,
    seed: int = 0,
) -> Probed:
    """Predict each fold by ridge or logistic regression trained on the patients of the others.

    Of these patients, it draws ``share``, at least two patients and one of each class.
    Cross-validation over the drawn patients chooses the penalty.

    Args:
        features (np.ndarray): (n, C).
        targets (np.ndarray): Numbers, float of shape (n,), for ridge regression; or classes 0 to
            K - 1, int of shape (n,), for logistic regression.
        patients (np.ndarray): Patient of each recording, (n,).
        folds (Mapping[str, int]): Fold of each patient, from 0.
        share (float): Share of the training patients that have labels. Defaults to 1.
        seed (int): Seed of the draw. Defaults to 0.

    Returns:
        Probed: The predictions.
    """
    is_class = targets.dtype.kind in 'iu'
    classes = int(targets.max()) + 1
    predicted = np.zeros((len(targets), classes) if is_class else len(targets))
    fold_of = np.array([folds[patient] for patient in patients])
    counts = []
    for fold in range(int(fold_of.max()) + 1):
        others = np.flatnonzero(fold_of != fold)
        generator = np.random.default_rng([seed, fold])
        drawn = draw_patients(targets[others], patients[others], share, is_class, generator)
        train, test = others[drawn], fold_of == fold
        counts.append(len(set(patients[train])))
        model = fit_probe(features[train], targets[train], patients[train], is_class)
        if is_class:
            predicted[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
        else:
            predicted[test] = model.predict(features[test])
    return Probed(predicted, round(float(np.mean(counts))))


def draw_patients(
    targets: np.ndarray,
    patients: np.ndarray,
    share: float,
    is_class: bool,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the recordings of a share of the patients.

    Args:
        targets (np.ndarray): Numbers or classes, (n,).
        patients (np.ndarray): Patient of each recording, (n,).
        share (float): Share of the patients, at least two.
        is_class (bool): Whether the targets are classes; then one patient of each class is drawn.
        generator (np.random.Generator): Random generator.

    Returns:
        np.ndarray: Indices of the recordings.
    """
    order = generator.permutation(np.unique(patients))
    count = max(2, round(share * len(order)))
    if is_class:
        needed = len(np.unique(targets))
        while len(np.unique(targets[np.isin(patients, order[:count])])) < needed:
            count += 1
    return np.flatnonzero(np.isin(patients, order[:count]))


def fit_probe(
    features: np.ndarray, targets: np.ndarray, patients: np.ndarray, is_class: bool
) -> Any:
    """Fit ridge or logistic regression on standardised features.

    Args:
        features (np.ndarray): (n, C).
        targets (np.ndarray): Numbers or classes, (n,).
        patients (np.ndarray): Patient of each row; cross-validation over them chooses the penalty.
        is_class (bool): Whether the targets are classes.

    Returns:
        A fitted model of scikit-learn.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(_INNER_FOLDS, len(np.unique(patients)))
    splits = list(GroupKFold(folds).split(features, targets, patients))
    if is_class:
        model, name = LogisticRegression(max_iter=1000), 'logisticregression__C'
        grid = {name: 1 / _PENALTIES}
        every = len(np.unique(targets))
        splits = [split for split in splits if len(np.unique(targets[split[0]])) == every]
        scoring: Any = _log_likelihood
    else:
        model, name = Ridge(), 'ridge__alpha'
        grid = {name: _PENALTIES}
        scoring = 'neg_mean_squared_error'
    pipeline = make_pipeline(StandardScaler(), model)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # weak penalties may not converge
        if not splits:
            middle = grid[name][len(_PENALTIES) // 2]
            return pipeline.set_params(**{name: middle}).fit(features, targets)
        return GridSearchCV(pipeline, grid, scoring=scoring, cv=splits).fit(features, targets)


def _log_likelihood(model: Any, features: np.ndarray, targets: np.ndarray) -> float:
    probabilities = model.predict_proba(features)
    columns = np.searchsorted(model.classes_, targets)
    chosen = probabilities[np.arange(len(targets)), columns]
    return float(np.log(np.maximum(chosen, 1e-12)).mean())
