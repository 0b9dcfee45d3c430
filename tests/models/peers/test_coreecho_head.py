"""CoReEcho's head against its layers, written out."""

import torch
from torch import nn

from echocardmae_mm.models.peers import CoReEchoHead


def test_the_layers_are_those_of_coreecho():
    torch.manual_seed(0)
    head = CoReEchoHead(in_channels=8, target='zscore', mean=55.6, std=1.0)
    nn.init.normal_(head.fc.weight)
    theirs = nn.Sequential(
        nn.BatchNorm1d(8), nn.Dropout(0.4), nn.Linear(8, 8), nn.BatchNorm1d(8), nn.GELU(),
        nn.Dropout(0.4), nn.Linear(8, 1),
    )  # fmt: skip
    ours = head.hidden.state_dict() | {f'6.{k}': v for k, v in head.fc.state_dict().items()}
    theirs.load_state_dict(ours)
    theirs[-1].bias.data.fill_(55.6)
    features = torch.randn(5, 8, 2, 3)
    for training in (True, False):
        head.train(training)
        theirs.train(training)
        torch.manual_seed(1)
        got = head(features)
        torch.manual_seed(1)
        torch.testing.assert_close(got, theirs(features.mean((2, 3))).squeeze(1))


def test_the_untrained_head_predicts_the_mean():
    head = CoReEchoHead(in_channels=8, target='zscore', loss='l1', mean=55.6, std=1.0).eval()
    torch.testing.assert_close(head(torch.randn(3, 8)), torch.full((3,), 55.6))
