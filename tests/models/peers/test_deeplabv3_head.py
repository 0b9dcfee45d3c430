"""The head as MMSegmentation's other heads; test_baselines.py compares it with torchvision's."""

import torch
from mmengine.registry import init_default_scope

from echocardmae_mm.models.peers import DeepLabV3Head


def test_the_last_map_is_used_and_the_dropout_is_torchvisions():
    init_default_scope('mmseg')
    head = DeepLabV3Head(in_channels=16, in_index=1, num_classes=2, out_channels=1, threshold=0.5)
    rates = [part.p for part in head.modules() if isinstance(part, torch.nn.Dropout)]
    assert rates == [0.5]
    head.eval()
    maps = torch.randn(2, 4, 9, 9), torch.randn(2, 16, 9, 9)
    logits = head(maps)
    assert logits.shape == (2, 1, 9, 9)
    torch.testing.assert_close(logits, head((torch.zeros(1), maps[1])))
