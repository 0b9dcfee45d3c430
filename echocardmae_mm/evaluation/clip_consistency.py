"""Measure how much predictions depend on the start of the clip (Figure 2 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from mmengine.evaluator import BaseMetric

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals, bootstrap_runs
from echocardmae_mm.evaluation.prediction_metric import flatten, name_missing_key, video_of
from echocardmae_mm.registry import METRICS
from echocardmae_mm.utils.errors import UserError

#: Labels of the statistics.
STATISTICS = {
    'icc': 'intraclass correlation',
    'within_sd': 'sd within a recording (points)',
    'within_range': 'range within a recording (points)',
    'mae_of_one_clip': 'MAE of one clip (points)',
    'mae': 'MAE of the mean of all clips (points)',
}


@METRICS.register_module()
class ClipConsistencyMetric(BaseMetric):
    """Spread of a recording's predictions over its clips.

    Attributes:
        clips (pd.DataFrame): One row per clip of the last evaluation, on the main process, with
            ``video``, ``patient``, ``ef``, ``start`` (frame) and ``prediction`` (per cent).

    Args:
        n_resamples (int): Bootstrap resamples of the patients. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`. Defaults to 'cpu'.
    """

    default_prefix = 'consistency'
    clips: pd.DataFrame

    def __init__(self, n_resamples: int = 2000, seed: int = 0, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.n_resamples = n_resamples
        self.seed = seed

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the clips of each recording.

        Args:
            data_batch (Any): Ignored.
            data_samples (Sequence[dict]): Predictions, with ``filename``, ``ef``, ``clip_starts``
                and ``pred_ef_clips``.
        """
        for sample in data_samples:
            with name_missing_key(type(self).__name__):
                video = video_of(sample)
                self.results.append(
                    {
                        'video': video,
                        'patient': sample.get('patient', video),
                        'ef': float(sample['ef']),
                        'start': list(sample['clip_starts']),
                        'prediction': sample['pred_ef_clips'].double().tolist(),
                    }
                )

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Statistics of :func:`consistency`, with ``_low`` and ``_high``."""
        self.clips = pd.DataFrame(results).explode(['start', 'prediction'], ignore_index=True)
        self.clips = self.clips.astype({'start': np.int64, 'prediction': np.float64})
        sizes = {'videos': len(results), 'clips': len(self.clips)}
        return {**sizes, **flatten(consistency(self.clips, self.n_resamples, self.seed))}


def consistency(clips: pd.DataFrame, n_resamples: int = 2000, seed: int = 0) -> dict[str, Interval]:
    """Consistency of one model's predictions.

    Args:
        clips (pd.DataFrame): One row per clip, with ``patient``, ``video``, ``ef`` and
            ``prediction``.
        n_resamples (int): Bootstrap resamples of the patients. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Interval]: With 95 % intervals over patients: ``icc``, the intraclass correlation
        ICC(1) of a one-way random model (Shrout and Fleiss, Psychological Bulletin 1979) for
        unequal numbers of clips (McGraw and Wong, Psychological Methods 1996), which is the share
        of the variance of single-clip predictions between recordings; ``within_sd`` and
        ``within_range``, means over recordings with at least two clips, in points of EF;
        ``mae_of_one_clip``, the MAE of a random clip; ``mae``, the MAE of the mean over clips.
    """
    videos = _by_video(clips)
    statistics = partial(_statistics, videos)
    patients = videos['patient'].to_numpy()
    return bootstrap_intervals(statistics, patients, n_resamples=n_resamples, seed=seed)


def consistency_difference(
    runs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], n_resamples: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Differences between two models, second minus first, paired by recording.

    Args:
        runs (Sequence[tuple[pd.DataFrame, pd.DataFrame]]): One pair of tables per run, for the
            first and the second model; see :func:`consistency`. All contain the same clips.
        n_resamples (int): Bootstrap resamples of the patients and the runs. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Interval]: Statistics of :func:`consistency`, averaged over the runs; the
        intervals are over patients and, with several runs, over runs.

    Raises:
        UserError: If the clips or their true EF differ between the models.
    """
    videos = [(_by_video(first), _by_video(second)) for first, second in runs]
    one = videos[0][0]
    for other in (model for run in videos for model in run):
        _require_same_clips(one, other)
    differences = [partial(_difference, first, second) for first, second in videos]
    return bootstrap_runs(differences, one['patient'].to_numpy(), n_resamples, seed)


def is_more_consistent(difference: dict[str, Interval], margin: float) -> bool:
    """Whether the second model is more consistent and not less accurate.

    A smaller spread proves nothing, because a constant prediction has none. Therefore the share of
    the variance between recordings must increase, and the error must not.

    Args:
        difference (dict[str, Interval]): Result of :func:`consistency_difference`.
        margin (float): Largest tolerated increase of the MAE, in points of EF, at the upper end of
            its interval.

    Returns:
        bool: True if the interval of ``icc`` lies above 0, and the interval of ``mae`` ends below
        ``margin`` and does not lie above 0.
    """
    mae = difference['mae']
    return difference['icc'].low > 0 and mae.low <= 0 and mae.high < margin


def _require_same_clips(one: pd.DataFrame, other: pd.DataFrame) -> None:
    same = len(one) == len(other) and (one[['video', 'clips']] == other[['video', 'clips']]).all(
        axis=None
    )
    if not (same and np.allclose(one['ef'], other['ef'], atol=1e-3)):
        raise UserError(
            'the models were tested on different clips: use the same data, clip_len and '
            'frame_interval in both configs'
        )


def _by_video(clips: pd.DataFrame) -> pd.DataFrame:
    """Statistics of the clips of each recording, one row per recording, sorted."""
    table = clips.assign(error=(clips['prediction'] - clips['ef']).abs())
    videos = table.groupby(['patient', 'video', 'ef']).agg(
        clips=('prediction', 'count'),
        mean=('prediction', 'mean'),
        std=('prediction', 'std'),
        range=('prediction', np.ptp),
        error=('error', 'mean'),
    )
    return videos.fillna({'std': 0.0}).reset_index()


def _statistics(videos: pd.DataFrame, rows: np.ndarray) -> dict[str, float]:
    count, mean, sd, spread, ef, error = (
        videos[name].to_numpy(np.float64)[rows]
        for name in ('clips', 'mean', 'std', 'range', 'ef', 'error')
    )
    several = count > 1
    return {
        'icc': intraclass_correlation(count, mean, sd),
        'within_sd': float(sd[several].mean()) if several.any() else np.nan,
        'within_range': float(spread[several].mean()) if several.any() else np.nan,
        'mae_of_one_clip': float(error.mean()),
        'mae': float(np.abs(mean - ef).mean()),
    }


def _difference(first: pd.DataFrame, second: pd.DataFrame, rows: np.ndarray) -> dict[str, float]:
    one, other = _statistics(first, rows), _statistics(second, rows)
    return {name: other[name] - one[name] for name in one}


def intraclass_correlation(count: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> float:
    """ICC(1) of groups of unequal size.

    Args:
        count (np.ndarray): Values of each group, (n,).
        mean (np.ndarray): Mean of each group, (n,).
        sd (np.ndarray): Standard deviation within each group, ``ddof=1``, 0 for one value, (n,).

    Returns:
        float: At most 1; NaN for fewer than two groups, or without any variance.
    """
    groups, values = len(count), count.sum()
    if groups < 2 or values <= groups:
        return np.nan
    centre = (count * mean).sum() / values
    between = (count * np.square(mean - centre)).sum() / (groups - 1)
    within = ((count - 1) * np.square(sd)).sum() / (values - groups)
    size = (values - np.square(count).sum() / values) / (groups - 1)
    total = between + (size - 1) * within
    return float((between - within) / total) if total > 1e-12 else np.nan
