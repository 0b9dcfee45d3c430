"""Features are those of the encoder, for the recordings that prediction takes."""

import pytest
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope

from echocardmae_mm.apis import Bundle, EchoEmbedder, EchoInferencer
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import UserError


def clips_of(bundle, file):
    """Clips of the test pipeline, uint8 (M, 3, T, H, W)."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return Compose(bundle.config.test_pipeline)({'filename': str(file), 'ef': 0.0})


def test_features_of_a_recogniser_are_those_of_extract_feat(bundles, recordings):
    bundle = Bundle(bundles['ef'], 'cpu')
    data = pseudo_collate([clips_of(bundle, recordings['echonet'])])
    inputs = bundle.model.data_preprocessor(data)['inputs']
    expected, _ = bundle.model.extract_feat(inputs, stage='backbone')
    found = EchoEmbedder(bundles['ef'], 'cpu')(recordings['echonet'])
    torch.testing.assert_close(torch.from_numpy(found.features), expected)
    assert found.is_measured
    assert 'ef_percent' not in found.values


def test_features_of_a_pretrained_encoder_are_means_of_all_its_tokens(bundles, recordings):
    bundle = Bundle(bundles['encoder'], 'cpu')
    clips = clips_of(bundle, recordings['echonet'])['inputs']
    processor = bundle.model.data_preprocessor
    mean, std = (part.view(3, 1, 1, 1) for part in (processor.mean, processor.std))
    tokens = bundle.model.backbone((clips - mean) / std)  # (5, 2 * 7 * 7, 24)
    torch.testing.assert_close(bundle.model.extract_feat(clips), tokens)
    features, slots = (
        torch.from_numpy(EchoEmbedder(bundles['encoder'], 'cpu', tokens=kept)(file).features)
        for kept, file in ((False, recordings['echonet']), (True, recordings['echonet']))
    )
    torch.testing.assert_close(features, tokens.mean(1))
    torch.testing.assert_close(slots, tokens.reshape(5, 2, 49, 24).mean(2))


def test_tokens_of_a_recogniser_are_means_over_space(bundles, recordings):
    bundle = Bundle(bundles['ef'], 'cpu')
    backbone, seen = bundle.model.backbone, []
    backbone.norm.register_forward_hook(lambda *call: seen.append(call[-1]))
    bundle.network(clips_of(bundle, recordings['echonet'])['inputs'])
    expected = backbone.fc_norm(seen[0].reshape(5, 2, 49, 24).mean(2))
    found = EchoEmbedder(bundles['ef'], 'cpu', tokens=True)(recordings['echonet']).features
    torch.testing.assert_close(torch.from_numpy(found), expected)


def test_refuses_what_prediction_refuses(bundles, recordings):
    frames = open_recording(recordings['echonet']).frames(range(12))
    result = EchoEmbedder(bundles['encoder'], 'cpu')(frames, fps=50)
    assert result.values['status'] == 'refused'
    assert 'less than a heartbeat' in result.values['reason']
    assert result.features is None


def test_a_bundle_of_another_use_is_refused(bundles):
    message = 'for segmentation; expected one for features, .*\nUse it with echocardmae predict'
    with pytest.raises(UserError, match=message):
        EchoEmbedder(bundles['seg'])
    with pytest.raises(UserError, match='Use it with echocardmae embed'):
        EchoInferencer([bundles['encoder']])
