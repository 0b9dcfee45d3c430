"""CardiacNet's layers against their description, computed with torch's functions."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from echocardmae_mm.models.peers import CardiacNetEncoder
from echocardmae_mm.utils.errors import UserError

CONFIGS = Path(__file__).parents[3] / 'configs'


def described(state, x):
    """Convolution, four strided convolutions with residual blocks, convolution, classifier."""
    parameters = iter(state.values())

    def convolution(x, **options):
        return F.conv3d(x, next(parameters), next(parameters), **options)

    def activated(x):
        x = F.group_norm(x, 32, next(parameters), next(parameters), eps=1e-6)
        return convolution(x * torch.sigmoid(x), padding=1)

    x = convolution(x, padding=1)
    for _ in range(4):
        x = convolution(x, stride=(1, 2, 2), padding=1)
        x = x + activated(activated(x))
    x = convolution(activated(x), stride=2)
    assert next(parameters, None) is None
    return x.clamp(min=0)


def test_the_layers_are_those_of_cardiacnet():
    torch.manual_seed(0)
    encoder = CardiacNetEncoder(base_channels=16)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    clips = torch.randn(2, 3, 5, 48, 40)
    grey = (clips[:, :1] + clips[:, 1:2] + clips[:, 2:]) / 3
    with torch.no_grad():
        got = encoder(clips)
        assert got.shape == (2, 128, 2, 1, 1)
        assert 0.1 < (got > 0).float().mean() < 0.9
        torch.testing.assert_close(got, described(encoder.state_dict(), grey))


def test_the_config_has_the_published_size_and_grey_levels():
    config = Config.fromfile(CONFIGS / 'baselines' / 'ef_cardiacnet_encoder.py')
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    encoder, classifier, linear = (
        sum(x.numel() for x in part.parameters())
        for part in (model.backbone.encoder, model.backbone.classifier, model.cls_head.fc)
    )
    assert encoder == 13_942_528  # xmed-lab/CardiacNet's Encoder(256, image_channel=1)
    assert classifier + linear == 256 * 512 * 27 + 512 + 513  # 3.54 million
    widths = [x.out_channels for x in model.backbone.modules() if isinstance(x, torch.nn.Conv3d)]
    assert widths == [64, *[128] * 6, *[256] * 6, 256, 512]

    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(3, 4, 40, 14)[..., :40]
    batch = model.data_preprocessor(dict(inputs=[pixels[None]], data_samples=[]))['inputs']
    torch.testing.assert_close(batch, pixels[None, None] / 127.5 - 1)


def test_clips_that_are_too_small_are_refused():
    encoder = CardiacNetEncoder(base_channels=16)
    assert encoder(torch.randn(1, 3, 3, 33, 33)).shape == (1, 128, 1, 1, 1)
    for shape in ((2, 33, 33), (3, 32, 33), (3, 33, 32)):
        with pytest.raises(UserError, match=r'expected at least 3 frames of 33 x 33 pixels$'):
            encoder(torch.randn(1, 3, *shape))
