"""The network alone predicts what the hosts' own test step predicts."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import MODELS, DefaultScope

from echocardmae_mm.apis import Bundle
from echocardmae_mm.apis.export_onnx import example_inputs, random_like
from echocardmae_mm.apis.network import OUTPUTS, Network
from echocardmae_mm.utils.errors import UserError


def by_test_step(bundle, inputs):
    """Samples of the host for clips of one recording, or for frames."""
    if bundle.task == 'segmentation':
        from mmseg.structures import SegDataSample

        is_clip = inputs.ndim == 5
        shape = tuple(inputs.shape[-2:])
        meta = dict(ori_shape=shape, img_shape=shape, pad_shape=shape)
        data = [
            {
                'inputs': one[None] if is_clip else one,
                'data_samples': SegDataSample(metainfo=meta),
            }
            for one in inputs
        ]
    else:
        from mmaction.structures import ActionDataSample

        data = [{'inputs': inputs, 'data_samples': ActionDataSample()}]
    with DefaultScope.overwrite_default_scope(bundle.config.default_scope):
        return bundle.model.test_step(pseudo_collate(data))


@pytest.mark.parametrize('name', ['ef', 'mi', 'seg', 'clip_seg'])
def test_predicts_as_the_test_step(bundles, name):
    bundle = Bundle(bundles[name], 'cpu')
    inputs = random_like(example_inputs(bundle), 3)
    predicted = bundle.network(inputs)[OUTPUTS[bundle.task]]
    samples = by_test_step(bundle, inputs)
    if name == 'ef':
        torch.testing.assert_close(predicted, samples[0].pred_ef_clips)
    elif name == 'mi':
        torch.testing.assert_close(predicted.mean(0), samples[0].pred_score)
    else:
        labels = torch.stack([sample.pred_sem_seg.data for sample in samples])
        assert torch.equal(predicted.argmax(1), labels.squeeze(1) if name == 'seg' else labels)


def test_one_channel_with_a_threshold_becomes_two_logits(bundles):
    torch.manual_seed(0)
    bundle = Bundle(bundles['seg'], 'cpu')
    config = Config(dict(bundle.config.model))
    config.decode_head = dict(
        type='FCNHead',
        in_channels=24,
        channels=4,
        num_convs=1,
        concat_input=False,
        num_classes=2,
        out_channels=1,
        threshold=0.4,
        norm_cfg=dict(type='BN'),
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
    )
    with DefaultScope.overwrite_default_scope('mmseg'):
        bundle.model = MODELS.build(config).eval()
    inputs = random_like(example_inputs(bundle), 2)
    labels = Network(bundle.model, 'segmentation')(inputs)['logits'].argmax(1)
    expected = torch.cat([s.pred_sem_seg.data for s in by_test_step(bundle, inputs)])
    assert torch.equal(labels, expected.long())
    assert 0 < labels.float().mean() < 1


def test_channels_are_swapped_as_by_the_data_preprocessor(bundles):
    bundle = Bundle(bundles['ef'], 'cpu')
    inputs = random_like(example_inputs(bundle), 2)
    bundle.model.data_preprocessor.to_rgb = True
    expected = by_test_step(bundle, inputs)[0].pred_ef_clips
    found = Network(bundle.model, bundle.task).eval()(inputs)['ef_percent']
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('name', ['seg', 'clip_seg'])
def test_features_of_a_segmentation_are_means_over_its_maps(bundles, name):
    bundle = Bundle(bundles[name], 'cpu')
    inputs = random_like(example_inputs(bundle), 2)
    processor = bundle.model.data_preprocessor
    mean, std = (part.view(3, *[1] * (inputs.ndim - 2)) for part in (processor.mean, processor.std))
    maps = bundle.model.backbone((inputs - mean) / std)
    expected = (maps[0] if name == 'seg' else maps).flatten(2).mean(2)
    torch.testing.assert_close(bundle.network(inputs)['features'], expected)


def test_a_segmentation_by_windows_has_no_features(bundles):
    bundle = Bundle(bundles['seg'], 'cpu')
    inputs = random_like(example_inputs(bundle), 2)
    whole = bundle.network(inputs)['logits']
    bundle.model.test_cfg = Config(dict(mode='slide', crop_size=(56, 56), stride=(56, 56)))
    outputs = Network(bundle.model, 'segmentation')(inputs)
    assert outputs.keys() == {'logits'}
    torch.testing.assert_close(outputs['logits'], whole)


def test_a_data_preprocessor_that_pads_is_refused(bundles):
    model = Bundle(bundles['seg'], 'cpu').model
    model.data_preprocessor.test_cfg = dict(size_divisor=32)
    with pytest.raises(UserError, match='does not pad in tests'):
        Network(model, 'segmentation')
