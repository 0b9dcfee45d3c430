"""Statistics of predicted ejection fractions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from echocardmae_mm.evaluation.discrimination import auroc, mean_ranks

EF_CLASSES = {
    'ef_below_30': (-np.inf, 30.0),
    'ef_30_to_40': (30.0, 40.0),
    'ef_40_to_50': (40.0, 50.0),
    'ef_from_50': (50.0, np.inf),
}
LOW_EF_THRESHOLDS = (35, 40, 45, 50)


def ef_statistics(ef: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Agreement between predicted and true EF, and the error of a constant prediction.

    Args:
        ef (np.ndarray): True EF in per cent, float of shape (n,).
        predicted (np.ndarray): Predicted EF in per cent, float of shape (n,).

    Returns:
        dict[str, float]: In per cent of EF: ``mae``, ``rmse``; ``bias``, predicted minus true;
        ``loa_lower`` and ``loa_upper``, the limits of agreement, bias -/+ 1.96 standard deviations
        of the difference (Bland and Altman, Lancet 1986); ``mae_of_median``, the MAE of always
        predicting the median of these recordings, which is the best constant. Without a unit:
        ``r2``; ``r`` (Pearson); ``slope`` of the regression line of the true EF on the predicted
        (calibration slope), above 1 if predictions lie too close to their mean; ``mae_ratio``,
        ``mae`` over ``mae_of_median``, which is 1 for a model that has learned nothing;
        ``auroc_below_35``, ``_40``, ``_45`` and ``_50``. NaN if undefined.

    Example:
        >>> statistics = ef_statistics(np.array([30.0, 50.0, 70.0]), np.array([40.0, 50.0, 60.0]))
        >>> round(statistics['mae'], 2), round(statistics['mae_ratio'], 2)
        (6.67, 0.5)
    """
    error = predicted - ef
    spread = float(error.std(ddof=1)) if len(ef) > 1 else np.nan
    bias = float(error.mean())
    mae = float(np.abs(error).mean())
    mae_of_median = float(np.abs(ef - np.median(ef)).mean())
    total = float(np.square(ef - ef.mean()).sum())
    statistics = {
        'mae': mae,
        'rmse': float(np.sqrt(np.square(error).mean())),
        'r2': 1 - float(np.square(error).sum()) / total if total > 0 else np.nan,
        'r': pearson_r(ef, predicted),
        'slope': calibration_slope(ef, predicted),
        'bias': bias,
        'loa_lower': bias - 1.96 * spread,
        'loa_upper': bias + 1.96 * spread,
        'mae_of_median': mae_of_median,
        'mae_ratio': mae / mae_of_median if mae_of_median > 0 else np.nan,
    }
    ranks = mean_ranks(-predicted)
    for threshold in LOW_EF_THRESHOLDS:
        statistics[f'auroc_below_{threshold}'] = auroc(ranks, ef < threshold)
    return statistics


def statistics_by_group(
    ef: np.ndarray, predicted: np.ndarray, groups: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Errors by group of recordings.

    Args:
        ef (np.ndarray): True EF in per cent, float of shape (n,).
        predicted (np.ndarray): Predicted EF in per cent, float of shape (n,).
        groups (Mapping[str, np.ndarray]): Members of each group, bool of shape (n,).

    Returns:
        dict[str, float]: ``<group>/mae``, ``<group>/bias`` and ``<group>/r``; NaN if the group is
        empty.
    """
    statistics: dict[str, float] = {}
    for name, members in groups.items():
        error = predicted[members] - ef[members]
        statistics[f'{name}/mae'] = float(np.abs(error).mean()) if len(error) else np.nan
        statistics[f'{name}/bias'] = float(error.mean()) if len(error) else np.nan
        statistics[f'{name}/r'] = pearson_r(ef[members], predicted[members])
    return statistics


def ef_classes(ef: np.ndarray) -> dict[str, np.ndarray]:
    """Members of each EF class, bool of shape (n,) by name of the class."""
    return {name: (ef >= low) & (ef < high) for name, (low, high) in EF_CLASSES.items()}


def calibration_slope(true: np.ndarray, predicted: np.ndarray) -> float:
    """Slope of the regression line of true on predicted values; NaN for constant predictions."""
    predicted = predicted - predicted.mean()
    variance = float(np.square(predicted).sum())
    return float((true * predicted).sum()) / variance if variance > 1e-12 else np.nan


def pearson_r(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; NaN for fewer than three values or a constant."""
    if len(first) < 3:
        return np.nan
    first, second = first - first.mean(), second - second.mean()
    norm = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / norm) if norm > 1e-12 else np.nan
