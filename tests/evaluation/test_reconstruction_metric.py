import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.evaluation.reconstruction_metric import ReconstructionMetric, nearest_visible

GRID = np.indices((4, 3, 3)).reshape(3, -1).T.astype(float)


def random_states(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    masked = generator.random(len(GRID)) < 0.7
    visible = ~masked & (generator.random(len(GRID)) < 0.8)
    visible[generator.choice(np.flatnonzero(~masked))] = True
    return masked, visible


def sample(clips: int = 2, seed: int = 0) -> dict:
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 256, (clips, 3, 8, 48, 48), generator=generator).float()
    masked = torch.rand(clips, 36, generator=generator) < 0.6
    return {
        'target': target,
        'reconstruction': target + 2,
        'masked': masked,
        'sector': torch.ones_like(masked),
        'token_size': (2, 16),
    }


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_copies_come_from_the_nearest_visible_token(seed):
    masked, visible = random_states(seed)
    nearest = nearest_visible(GRID, masked, visible)
    sources = np.flatnonzero(visible)
    for position, token in enumerate(np.flatnonzero(masked)):
        offsets = GRID[sources] - GRID[token]
        distance = np.linalg.norm(offsets, axis=1)
        in_slot = offsets[:, 0] == 0
        in_place = (offsets[:, 1:] == 0).all(1)
        chosen = {
            name: np.linalg.norm(GRID[token] - GRID[index[position]])
            for name, index in nearest.items()
        }
        assert all(visible[index[position]] for index in nearest.values())
        assert chosen['copy_spacetime'] == pytest.approx(distance.min())
        if in_slot.any():
            assert chosen['copy_space'] == pytest.approx(distance[in_slot].min())
        best_in_time = distance[in_place].min() if in_place.any() else distance.min()
        assert chosen['copy_time'] == pytest.approx(best_in_time)


def test_error_of_a_constant_offset_is_its_square():
    metric = ReconstructionMetric()
    metric.process(None, [sample(seed=1), sample(seed=2), sample(seed=3)])
    metrics = metric.compute_metrics(metric.results)
    assert metrics['videos'] == 3
    assert metrics['mse'] == pytest.approx(4)


def test_reduction_is_the_share_of_the_baselines_error():
    metric = ReconstructionMetric()
    rows = [{'model': 3.0, 'copy_time': 4.0}, {'model': 1.0, 'copy_time': 4.0}]
    metrics = metric.compute_metrics(rows)
    assert metrics['reduction_copy_time'] == pytest.approx(0.5)
    assert metrics['reduction_copy_time_low'] == pytest.approx(0.25)
    assert metrics['reduction_copy_time_high'] == pytest.approx(0.75)


def test_copying_is_measured_against_the_target_of_the_masked_tokens():
    one = sample(clips=1, seed=4)
    frames = torch.arange(8).repeat_interleave(1).float()
    one['target'] = (frames // 2 * 10).view(1, 1, 8, 1, 1).expand(1, 3, 8, 48, 48).clone()
    one['masked'] = torch.zeros(1, 36, dtype=torch.bool)
    one['masked'][0, :9] = True  # the whole first slot
    one['reconstruction'] = one['target']
    metric = ReconstructionMetric()
    metric.process(None, [one])
    assert metric.results[0]['model'] == 0
    assert metric.results[0]['copy_time'] == pytest.approx(100)
