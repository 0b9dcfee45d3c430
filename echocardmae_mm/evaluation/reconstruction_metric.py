"""Metric for the reconstruction of masked tokens, compared with naive baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from einops import rearrange
from mmengine.evaluator import BaseMetric
from scipy.spatial import cKDTree
from torch import Tensor

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import flatten
from echocardmae_mm.registry import METRICS

_LABELS = {
    'copy_space': 'nearest visible token in the same time slot',
    'copy_time': 'nearest visible token at the same position',
    'copy_spacetime': 'nearest visible token',
    'train_mean': 'mean of the training set',
}


@METRICS.register_module()
class ReconstructionMetric(BaseMetric):
    """Squared error on the masked sector tokens, compared with four naive baselines.

    ``copy_space``, ``copy_time`` and ``copy_spacetime`` copy the target of the nearest visible
    token: in the same time slot, at the same position in another slot, or anywhere, where one slot
    is as far as one patch. If a position is visible in no slot, ``copy_time`` copies the nearest
    token in space and time. ``train_mean`` predicts the mean target of the training set at the
    token. Errors are in squared grey levels (0-255), averaged within and then over videos.
    ``reduction_*`` is the share of a baseline's error that the model saves, with its 95 % bootstrap
    interval.

    Attributes:
        train_mean (Tensor, optional): Mean target (3, T, H, W), which :class:`TrainingMeanHook`
            sets before a test. Without it, this baseline is omitted.
        statistics (dict): Results of the last evaluation, by name.

    Args:
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`. Defaults to 'cpu'.
    """

    default_prefix = 'reconstruction'
    statistics: dict[str, float | Interval]

    def __init__(self, seed: int = 0, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.seed = seed
        self.train_mean: Tensor | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the errors of each video.

        Args:
            data_batch (Any): Ignored.
            data_samples (Sequence[dict]): Predictions of :class:`EchoCardMAE`: ``reconstruction``
                and ``target`` (M, 3, T, H, W) in 0-255, ``masked`` and ``sector`` (M, N), and
                ``token_size``, the number of frames and the height in pixels of a token.
        """
        self.results += [self._errors(sample) for sample in data_samples]

    def compute_metrics(self, results: list[dict[str, float]]) -> dict[str, float]:
        """Average the errors over videos.

        Returns:
            dict[str, float]: ``videos``, their number; ``mse``; for each baseline ``mse_<name>``,
            ``reduction_<name>``, ``reduction_<name>_low`` and ``reduction_<name>_high``.
        """
        errors = {name: np.array([row[name] for row in results]) for name in results[0]}
        model = errors.pop('model')
        reductions = bootstrap_intervals(
            lambda rows: {
                name: 1 - model[rows].mean() / error[rows].mean() for name, error in errors.items()
            },
            np.arange(len(model)),
            seed=self.seed,
        )
        self.statistics = {'videos': len(model), 'mse': float(model.mean())}
        for name, error in errors.items():
            self.statistics[f'mse_{name}'] = float(error.mean())
            self.statistics[f'reduction_{name}'] = reductions[name]
        return flatten(self.statistics)

    def report(self) -> str:
        """Format the last results as a Markdown table."""
        rows = [('model', f'{self.statistics["mse"]:.1f}', '', '')]
        for name, label in _LABELS.items():
            if f'mse_{name}' in self.statistics:
                reduction, low, high = 100 * np.array(self.statistics[f'reduction_{name}'])
                error = f'{self.statistics[f"mse_{name}"]:.1f}'
                rows.append((label, error, f'{reduction:.1f}', f'{low:.1f} to {high:.1f}'))
        head = f'masked tokens of {self.statistics["videos"]} videos'
        return markdown_table((head, 'squared error', 'saved by the model (%)', '95 %'), rows)

    def _errors(self, sample: dict) -> dict[str, float]:
        """Mean squared error of the model and of each baseline, averaged over the clips."""
        size = sample['token_size']
        target = _tokens(sample['target'], size)  # (M, N, D)
        predicted = _tokens(sample['reconstruction'], size)
        grid = _token_grid(sample['target'].shape[2:], size)
        mean = None if self.train_mean is None else _tokens(self.train_mean[None], size)[0]
        errors: dict[str, list[float]] = {}
        for clip, (masked, sector) in enumerate(zip(sample['masked'], sample['sector'])):
            hidden = masked.cpu().numpy()
            visible = sector.cpu().numpy() & ~hidden
            guesses = {'model': predicted[clip][hidden]}
            if mean is not None:
                guesses['train_mean'] = mean[hidden]
            for name, source in nearest_visible(grid, hidden, visible).items():
                guesses[name] = target[clip][source]
            for name, guess in guesses.items():
                error = (guess - target[clip][hidden]).square().mean()
                errors.setdefault(name, []).append(float(error))
        return {name: float(np.mean(of_clips)) for name, of_clips in errors.items()}


def nearest_visible(
    grid: np.ndarray, masked: np.ndarray, visible: np.ndarray
) -> dict[str, np.ndarray]:
    """Find the visible tokens that the baselines copy.

    Args:
        grid (np.ndarray): Position (t, h, w) of each token, of shape (N, 3).
        masked (np.ndarray): Tokens to predict, bool of shape (N,).
        visible (np.ndarray): Tokens that may be copied, bool of shape (N,).

    Returns:
        dict[str, np.ndarray]: ``copy_space``, ``copy_time`` and ``copy_spacetime``: for each masked
        token the index of its source.
    """
    sources = np.flatnonzero(visible)
    far = float(len(grid))
    nearest = {}
    for name, stretch in (
        ('copy_space', (far, 1.0, 1.0)),
        ('copy_time', (1.0, far, far)),
        ('copy_spacetime', (1.0, 1.0, 1.0)),
    ):
        tree = cKDTree(grid[sources] * stretch)
        nearest[name] = sources[tree.query(grid[masked] * stretch)[1]]
    elsewhere = (grid[nearest['copy_time']] != grid[masked])[:, 1:].any(1)
    nearest['copy_time'] = np.where(elsewhere, nearest['copy_spacetime'], nearest['copy_time'])
    return nearest


def _tokens(clips: Tensor, token_size: tuple[int, int]) -> Tensor:
    frames, side = token_size
    pattern = 'b c (t pt) (h ph) (w pw) -> b (t h w) (pt ph pw c)'
    return rearrange(clips.cpu().float(), pattern, pt=frames, ph=side, pw=side)


def _token_grid(clip_size: Sequence[int], token_size: tuple[int, int]) -> np.ndarray:
    """Position (t, h, w) of each token, (N, 3)."""
    frames, side = token_size
    shape = [length // step for length, step in zip(clip_size, (frames, side, side))]
    return np.indices(shape).reshape(3, -1).T.astype(np.float64)
