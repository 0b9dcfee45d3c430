"""How well masked tokens are reconstructed, beside what needs no learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.registry import DATASETS
from scipy.spatial import cKDTree
from torch import Tensor

from echocardmae_mm.evaluation.bootstrap import bootstrap_intervals
from echocardmae_mm.models.patches import patchify
from echocardmae_mm.registry import METRICS
from echocardmae_mm.utils.counter_rng import EpochIndex


@METRICS.register_module()
class ReconstructionMetric(BaseMetric):
    """Squared error on the masked sector tokens, beside that of four baselines on the same tokens.

    ``copy_space``, ``copy_time`` and ``copy_spacetime`` copy the target of the nearest visible
    token: in the same time slot; in the same place of another slot; in both, a slot counted as far
    as a patch. A place that is visible in no slot takes the nearest in space and time.
    ``train_mean`` predicts the mean target of the training set at the token. The figures are in
    squared grey levels (0-255), the mean over videos of each video's own mean; ``reduction_*`` is
    the share of a baseline's error that the model saves, with its 95 % bootstrap interval.

    Args:
        mean_of (dict, optional): Config of the data set whose mean ``train_mean`` predicts; without
            it that baseline is left out. Defaults to None.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): As :class:`mmengine.evaluator.BaseMetric`. Defaults to 'cpu'.
    """

    default_prefix = 'reconstruction'

    def __init__(
        self,
        mean_of: dict | None = None,
        seed: int = 0,
        collect_device: str = 'cpu',
    ) -> None:
        super().__init__(collect_device=collect_device)
        self.mean_of = mean_of
        self.seed = seed
        self._train_mean: Tensor | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Adds each video's errors to the results.

        Args:
            data_batch (Any): Unused.
            data_samples (Sequence[dict]): Predictions of :class:`EchoCardMAE`, with
                ``reconstruction`` and ``target`` (M, 3, T, H, W) in 0-255, ``masked`` and
                ``sector`` (M, N), and ``token_size``, frames and pixels of a token's side.
        """
        for sample in data_samples:
            errors = self._errors_of_video(sample)
            self.results.append({name: float(np.mean(value)) for name, value in errors.items()})

    def compute_metrics(self, results: list[dict[str, float]]) -> dict[str, float]:
        """Means over videos and the model's savings.

        Args:
            results (list[dict[str, float]]): Errors of each video.

        Returns:
            dict[str, float]: ``mse``, ``mse_<baseline>``, ``reduction_<baseline>`` with its
            ``_low`` and ``_high`` ends, and ``videos``, their number.
        """
        columns = {name: np.array([row[name] for row in results]) for name in results[0]}
        model = columns.pop('model')
        savings = bootstrap_intervals(
            lambda rows: {
                name: 1 - model[rows].mean() / error[rows].mean() for name, error in columns.items()
            },
            np.arange(len(model)),
            seed=self.seed,
        )
        metrics: dict[str, float] = {'videos': len(model), 'mse': float(model.mean())}
        for name, baseline in columns.items():
            saved = savings[name]
            metrics[f'mse_{name}'] = float(baseline.mean())
            metrics[f'reduction_{name}'] = saved.estimate
            metrics[f'reduction_{name}_low'] = saved.low
            metrics[f'reduction_{name}_high'] = saved.high
            print_log(
                f'masked tokens of {len(model)} videos: error {model.mean():.1f}, {name} '
                f'{baseline.mean():.1f}; saved {100 * saved.estimate:.1f} % '
                f'[{100 * saved.low:.1f}, {100 * saved.high:.1f}]',
                logger='current',
            )
        return metrics

    def _errors_of_video(self, sample: dict) -> dict[str, list[float]]:
        errors: dict[str, list[float]] = {}
        size = sample['token_size']
        target = _tokens(sample['target'], size)
        predicted = _tokens(sample['reconstruction'], size)
        grid = _token_places(sample['target'].shape[2:], size)
        for clip, (masked, sector) in enumerate(zip(sample['masked'], sample['sector'])):
            hidden = masked.cpu().numpy()
            visible = sector.cpu().numpy() & ~hidden
            guesses = {'model': predicted[clip][hidden]}
            if self.mean_of is not None:
                guesses['train_mean'] = _tokens(self._mean_target()[None], size)[0][hidden]
            for name, source in nearest_visible(grid, hidden, visible).items():
                guesses[name] = target[clip][source]
            for name, guess in guesses.items():
                error = (guess - target[clip][hidden]).square().mean()
                errors.setdefault(name, []).append(float(error))
        return errors

    def _mean_target(self) -> Tensor:
        if self._train_mean is None:
            dataset = DATASETS.build(self.mean_of)
            total = torch.zeros(())
            for index in range(len(dataset)):
                target = dataset[EpochIndex(index, 0, self.seed)]['inputs']['target']
                total = total + target.double().mean(0)
            self._train_mean = (total / len(dataset)).float()
        return self._train_mean


def nearest_visible(
    grid: np.ndarray, masked: np.ndarray, visible: np.ndarray
) -> dict[str, np.ndarray]:
    """Indices of the visible tokens that the copying baselines copy.

    Args:
        grid (np.ndarray): Place (t, h, w) of each token, of shape (N, 3).
        masked (np.ndarray): Tokens to be guessed, bool of shape (N,).
        visible (np.ndarray): Tokens that may be copied, bool of shape (N,).

    Returns:
        dict[str, np.ndarray]: ``copy_space``, ``copy_time`` and ``copy_spacetime``, each an index
        into the N tokens for every masked one.
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
    tubelet_size, patch_size = token_size
    return patchify(clips.cpu().float(), patch_size, tubelet_size)


def _token_places(clip_size: Sequence[int], token_size: tuple[int, int]) -> np.ndarray:
    tubelet_size, patch_size = token_size
    frames, height, width = clip_size
    shape = (frames // tubelet_size, height // patch_size, width // patch_size)
    return np.indices(shape).reshape(3, -1).T.astype(np.float64)
