import pytest
import torch

from echocardmae_mm.models import ReconstructionHead


@pytest.mark.parametrize('counts', [None, (5, 2, 3)])
def test_equals_a_plain_loop(counts):
    prediction, target = torch.randn(3, 5, 4), torch.randn(3, 5, 4)
    valid = None if counts is None else torch.arange(5) < torch.tensor(counts)[:, None]
    clips = []
    for row, count in enumerate(counts or (5, 5, 5)):
        tokens = [
            sum((float(p) - float(t)) ** 2 for p, t in zip(prediction[row, k], target[row, k])) / 4
            for k in range(count)
        ]
        clips.append(sum(tokens) / count)
    loss = ReconstructionHead(loss_weight=0.8)(prediction, target, valid)
    assert float(loss) == pytest.approx(0.8 * sum(clips) / 3, rel=1e-5)


def test_half_precision_predictions_are_compared_in_float32():
    prediction = torch.full((1, 1, 4), 300.0, dtype=torch.float16)
    assert float(ReconstructionHead()(prediction, torch.zeros(1, 1, 4))) == 90000
