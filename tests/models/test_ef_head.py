"""The EF head against the released figures, plain loops and what autocast would do to it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.models.heads import SlowFastHead
from mmaction.structures import ActionDataSample
from mmengine.registry import MODELS, init_default_scope

from echocardmae_mm.models import EFHead, RankNContrastLoss
from echocardmae_mm.models.weight_conversion import from_echocardmae
from echocardmae_mm.utils.errors import UserError

REFERENCE = np.load(Path(__file__).parents[1] / 'data' / 'ef_tiny.npz')


def samples(*efs: float) -> list[ActionDataSample]:
    made = []
    for ef in efs:
        sample = ActionDataSample()
        sample.set_field(ef, 'ef')
        made.append(sample)
    return made


def head(**kwargs) -> EFHead:
    torch.manual_seed(0)
    made = EFHead(in_channels=6, **kwargs)
    torch.nn.init.normal_(made.fc.weight)
    return made


def test_the_whole_model_matches_the_released_code():
    init_default_scope('mmaction')
    model = MODELS.build(
        dict(
            type='mmaction.Recognizer3D',
            backbone=dict(
                type='echocardmae_mm.FusedVisionTransformer',
                img_size=32,
                patch_size=8,
                num_frames=4,
                embed_dims=24,
                depth=2,
                num_heads=3,
                attn_bias=False,
            ),
            cls_head=dict(type='echocardmae_mm.EFHead', in_channels=24),
        )
    )
    released = {
        key.removeprefix('state/'): torch.from_numpy(REFERENCE[key])
        for key in REFERENCE.files
        if key.startswith('state/')
    }
    state = from_echocardmae(released).state
    state |= {f'backbone.fc_norm.{x}': released[f'fc_norm.{x}'] for x in ('weight', 'bias')}
    state |= {f'cls_head.fc.{x}': released[f'head.{x}'] for x in ('weight', 'bias')}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert set(missing) == {
        'backbone.pos_embed', 'cls_head.mean', 'cls_head.std', 'cls_head.weight_of_bin'
    }  # fmt: skip
    assert unexpected == []

    clips = torch.from_numpy(REFERENCE['x']).unsqueeze(1)
    predictions = model.predict(clips, samples(50.0, 60.0, 70.0))
    for sample, expected in zip(predictions, REFERENCE['ef_percent']):
        assert sample.pred_ef == pytest.approx(float(expected), rel=1e-5)


def test_the_untrained_head_predicts_the_mean():
    made = EFHead(in_channels=6)
    made.fit_targets([40.0, 60.0, 71.0])
    assert made(torch.randn(5, 6)).tolist() == pytest.approx([57.0] * 5)
    scaled = EFHead(in_channels=6, target='zscore')
    scaled.fit_targets([40.0, 60.0, 71.0])
    assert scaled(torch.randn(5, 6)).tolist() == pytest.approx([57.0] * 5)


def test_given_statistics_are_kept():
    made = EFHead(in_channels=6, mean=55.6, std=12.0)
    made.fit_targets([10.0, 20.0])
    assert (float(made.mean), float(made.std)) == pytest.approx((55.6, 12.0))
    assert made.fc.bias.item() == pytest.approx(0.556)


def test_a_trained_head_is_not_reinitialised():
    trained = head()
    trained.fit_targets([40.0, 60.0])
    with torch.no_grad():
        trained.fc.bias.fill_(0.3)
    resumed = EFHead(in_channels=6)
    resumed.load_state_dict(trained.state_dict())
    resumed.fit_targets([70.0, 80.0])
    assert resumed.fc.bias.item() == pytest.approx(0.3)
    assert float(resumed.mean) == pytest.approx(50.0)


def test_loss_is_the_mean_absolute_error_over_recordings_and_clips():
    made = head()
    features = torch.randn(4, 6)
    predicted = (100 * (features @ made.fc.weight.T + made.fc.bias)).flatten().tolist()
    expected = np.mean([abs(p - ef) for p, ef in zip(predicted, (50.0, 50.0, 61.5, 61.5))])
    loss = made.loss(features, samples(50.0, 61.5))['loss_ef']
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_zscore_predicts_and_is_trained_in_deviations():
    made = head(target='zscore', mean=55.0, std=10.0)
    features = torch.randn(2, 6)
    output = (features @ made.fc.weight.T + made.fc.bias).flatten()
    torch.testing.assert_close(made(features), 55 + 10 * output)
    loss = made.loss(features, samples(45.0, 75.0))['loss_ef']
    torch.testing.assert_close(loss, (output - torch.tensor([-1.0, 2.0])).abs().mean())


def test_l2_is_the_square():
    made = head(target='zscore', loss='l2', mean=55.0, std=10.0)
    features = torch.randn(2, 6)
    output = (features @ made.fc.weight.T + made.fc.bias).flatten()
    loss = made.loss(features, samples(45.0, 75.0))['loss_ef']
    torch.testing.assert_close(loss, (output - torch.tensor([-1.0, 2.0])).square().mean())


def test_prediction_is_the_mean_of_the_clips_of_each_recording():
    made = head()
    features = torch.randn(6, 6)
    first, second = made.predict(features, samples(50.0, 60.0))
    clips = made(features)
    torch.testing.assert_close(first.pred_ef_clips, clips[:3])
    assert second.pred_ef == pytest.approx(clips[3:].mean().item())
    assert isinstance(second.pred_ef, float)


def test_autocast_does_not_round_it():
    """bfloat16 has steps of a quarter of a per cent at 60 %."""
    made = head()
    features = torch.randn(64, 6)
    expected = made(features)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(made(features), expected)
        assert torch.equal(made(features.bfloat16()), made(features.bfloat16().float()))


@settings(max_examples=40)
@given(
    efs=st.lists(st.floats(0, 100), min_size=2, max_size=80),
    kind=st.sampled_from(['none', 'sqrt_inverse', 'inverse']),
)
def test_weights_against_a_plain_loop(efs, kind):
    made = EFHead(in_channels=6, reweight=kind, smoothing=2.0)
    made.fit_targets(efs)
    power = {'none': 0.0, 'sqrt_inverse': 0.5, 'inverse': 1.0}[kind]
    bins = [round(ef) for ef in efs]
    kernel = {d: math.exp(-(d**2) / 8) for d in range(-8, 9)}
    total = sum(kernel.values())
    raw = [sum(kernel.get(b - other, 0) / total for other in bins) ** -power for b in bins]
    expected = [value / np.mean(raw) for value in raw]
    weights = made.weight_of_bin[torch.tensor(bins)]
    assert weights.tolist() == pytest.approx(expected, rel=1e-3)
    assert weights.mean().item() == pytest.approx(1, rel=1e-4)


def test_rare_recordings_weigh_more_in_the_loss():
    made = head(reweight='inverse', mean=0.0, std=1.0)
    made.fit_targets([60.0] * 90 + [20.0] * 10)
    torch.nn.init.zeros_(made.fc.weight)
    torch.nn.init.zeros_(made.fc.bias)
    rare = made.loss(torch.randn(1, 6), samples(20.0))['loss_ef'].item()
    common = made.loss(torch.randn(1, 6), samples(60.0))['loss_ef'].item()
    assert rare / 20 == pytest.approx(9 * common / 60, rel=1e-4)


def test_a_map_counts_by_its_mean():
    made = head()
    maps = torch.randn(4, 6, 2, 3, 3)
    torch.testing.assert_close(made(maps), made(maps.mean((2, 3, 4))))
    loss = made.loss(maps, samples(50.0, 61.5))['loss_ef']
    torch.testing.assert_close(
        loss, made.loss(maps.mean((2, 3, 4)), samples(50.0, 61.5))['loss_ef']
    )


def test_pathways_are_pooled_and_concatenated_as_in_slowfast():
    theirs = SlowFastHead(num_classes=1, in_channels=6, dropout_ratio=0)
    made = head()
    slow, fast = torch.randn(4, 4, 2, 3, 3), torch.randn(4, 2, 8, 3, 3)
    with torch.no_grad():
        theirs.fc_cls.weight.copy_(made.fc.weight[:, [4, 5, 0, 1, 2, 3]])  # it puts fast first
        theirs.fc_cls.bias.copy_(made.fc.bias)
    torch.testing.assert_close(made((slow, fast)), 100 * theirs((slow, fast)).squeeze(1))
    with_lists = made.loss((slow, fast), samples(50.0, 61.5))['loss_ef']
    pooled = torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], dim=1)
    torch.testing.assert_close(with_lists, made.loss(pooled, samples(50.0, 61.5))['loss_ef'])


def test_another_width_is_named():
    with pytest.raises(UserError, match=r'gives 7 channels, .*=6\nSet .*in_channels=7'):
        head()((torch.randn(1, 5, 2, 2, 2), torch.randn(1, 2, 4, 2, 2)))


def test_contrast_sees_every_clip_with_its_recordings_ef():
    made = head(contrast=dict(type='echocardmae_mm.RankNContrastLoss', temperature=1.0))
    features = torch.randn(4, 6)
    losses = made.loss(features, samples(50.0, 61.5))
    expected = RankNContrastLoss(1.0)(features, torch.tensor([50.0, 50.0, 61.5, 61.5]))
    torch.testing.assert_close(losses['loss_contrast'], expected)
    torch.testing.assert_close(
        losses['loss_ef'], head().loss(features, samples(50.0, 61.5))['loss_ef']
    )


def test_stopped_gradient_leaves_the_features_to_the_contrast():
    made = head(contrast=dict(type='echocardmae_mm.RankNContrastLoss'), stop_gradient=True)
    features = torch.randn(4, 6, requires_grad=True)
    losses = made.loss(features, samples(50.0, 61.5))
    losses['loss_ef'].backward()
    assert features.grad is None
    assert made.fc.weight.grad.abs().sum() > 0
    losses['loss_contrast'].backward()
    assert features.grad.abs().sum() > 0


def test_a_backbone_that_nothing_would_train_is_refused():
    with pytest.raises(UserError, match='needs contrast'):
        EFHead(stop_gradient=True)


@pytest.mark.parametrize('kwargs', [{'target': 'fraction'}, {'reweight': 'log'}, {'loss': 'mse'}])
def test_unknown_options_are_named(kwargs):
    with pytest.raises(UserError, match=r'EFHead: .* is unknown'):
        EFHead(**kwargs)


def test_a_sample_without_ef_is_an_error():
    with pytest.raises(UserError, match="no 'ef'"):
        head().loss(torch.randn(1, 6), [ActionDataSample()])
