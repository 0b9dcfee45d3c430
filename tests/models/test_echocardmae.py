from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.models import VisionTransformer

from echocardmae_mm.models.clip_pair_preprocessor import count_tokens, token_indices
from echocardmae_mm.models.weight_conversion import from_echocardmae, rename
from echocardmae_mm.utils.errors import UserError

DATA = Path(__file__).parents[1] / 'data'
SIZE = dict(img_size=32, patch_size=8, num_frames=4, tubelet_size=2, num_heads=3)


def assert_close(actual, expected, name=''):
    expected = torch.as_tensor(np.asarray(expected))
    error = (actual.detach() - expected).norm() / expected.norm()
    assert error < 1e-5, f'{name}: relative error {error:.2e}'


@pytest.mark.parametrize(
    ('file', 'background'),
    [('pretrain_tiny', 'single'), ('pretrain_tiny_positional', 'positional')],
)
def test_agrees_with_the_released_code(build_mae, file, background):
    reference = np.load(DATA / f'{file}.npz')

    def tensors(prefix):
        names = [name for name in reference.files if name.startswith(prefix)]
        return {name.removeprefix(prefix): torch.from_numpy(reference[name]) for name in names}

    model = build_mae(
        background,
        attn_bias=False,
        loss_rec=0.8,
        align=dict(loss_weight=0.2, include_positive=True, symmetric=True),
        preprocessor=dict(mean=(0, 0, 0), std=(1, 1, 1)),  # the released clips are normalised
    )
    weights = from_echocardmae(tensors('state/'))
    missing, unexpected = model.load_state_dict(weights.state, strict=False)
    assert missing == ['backbone.pos_embed']
    assert not unexpected
    assert not weights.dropped

    sector, masked = (torch.from_numpy(reference[x]).repeat(2, 1) for x in ('foreground', 'mask'))
    masked &= sector
    inputs = {'tokens': token_indices(sector, masked, *count_tokens(sector, masked))}
    for ours, released in (('imgs', 'x'), ('target', 'y')):
        clips = [torch.from_numpy(reference[f'{released}{i}']) for i in (1, 2)]
        inputs[ours] = torch.cat(clips)

    latent = model(inputs)
    prediction = model.decode(latent, inputs['tokens'])
    for i in (0, 1):
        assert_close(latent.mean(1).chunk(2)[i], reference[f'feat{i + 1}'], f'feat{i + 1}')
        assert_close(prediction.chunk(2)[i], reference[f'pred{i + 1}'], f'pred{i + 1}')

    losses = model(inputs, mode='loss')
    assert_close(losses['loss_rec'], 0.8 * reference['loss_rec'], 'loss_rec')
    assert_close(losses['loss_align'], 0.2 * reference['loss_align'], 'loss_align')
    total = losses['loss_rec'] + losses['loss_align']
    assert_close(total, reference['loss_total'], 'loss_total')

    total.backward()
    expected = rename(tensors('grad/')).state
    learnt = {name for name, value in model.named_parameters() if value.requires_grad}
    assert expected.keys() == learnt
    for name, gradient in expected.items():
        assert_close(model.get_parameter(name).grad, gradient, name)


def test_the_stock_encoder_gives_the_released_features():
    reference = np.load(DATA / 'ef_tiny.npz')
    state = {
        name.removeprefix('state/'): torch.from_numpy(reference[name])
        for name in reference.files
        if name.startswith('state/')
    }
    weights = from_echocardmae(state)
    encoder = VisionTransformer(embed_dims=24, depth=2, use_mean_pooling=True, **SIZE)
    encoder.load_state_dict(
        {name.removeprefix('backbone.'): value for name, value in weights.state.items()}
        | {name: weights.dropped[name] for name in ('fc_norm.weight', 'fc_norm.bias')}
        | {'pos_embed': encoder.pos_embed}
    )
    feature = encoder(torch.from_numpy(reference['x']))
    percent = 100 * (feature @ weights.dropped['head.weight'].T + weights.dropped['head.bias'])
    assert_close(percent.flatten(), reference['ef_percent'], 'ef_percent')


def test_trains_from_a_collated_batch(build_mae, batch_of):
    model = build_mae(align={})
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    batch, first = batch_of([24, 24, 24]), None
    for _ in range(30):
        data = model.data_preprocessor(batch, training=True)
        losses = model(**data, mode='loss')
        assert set(losses) == {'loss_rec', 'loss_align'}
        total, _ = model.parse_losses(losses)
        first = first or total.item()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    assert total < 0.9 * first


@pytest.mark.parametrize('background', ['positional', 'single'])
def test_the_loss_of_a_video_does_not_depend_on_its_batch(build_mae, background, batch_of):
    model = build_mae(background)
    batch = batch_of([24, 11, 32])
    inputs = model.data_preprocessor(batch)['inputs']
    assert inputs['tokens'].valid is not None
    together = model.loss(inputs)['loss_rec']
    alone = []
    for i in range(3):
        video = {name: value[i : i + 1] for name, value in batch['inputs'].items()}
        inputs = model.data_preprocessor({'inputs': video})['inputs']
        assert inputs['tokens'].valid is None
        alone.append(model.loss(inputs)['loss_rec'].item())
    assert together.item() == pytest.approx(np.mean(alone), rel=1e-6)


@pytest.mark.parametrize('sectors', [[24, 24], [24, 12]])
def test_predict_pastes_the_prediction_into_the_masked_tokens(build_mae, sectors, batch_of):
    model = build_mae()
    batch = batch_of(sectors)
    samples = model.test_step(batch)
    assert len(samples) == 2
    for i, sample in enumerate(samples):
        assert sample is not None
        for name in ('masked', 'sector'):
            assert torch.equal(sample.get(name), batch['inputs'][name][i])
        for ours, name in (('input', 'imgs'), ('target', 'target')):
            expected = batch['inputs'][name][i].float()
            torch.testing.assert_close(sample.get(ours), expected, atol=1e-3, rtol=0)
        same = (sample.reconstruction - sample.input).abs() < 1e-3
        by_token = same.unflatten(3, (4, 8)).unflatten(5, (4, 8)).unflatten(2, (2, 2))
        kept = by_token.all(dim=7).all(dim=5).all(dim=3).all(dim=1).flatten(1)
        assert torch.equal(kept, ~sample.masked)
        assert sample.reconstruction.min() >= 0
        assert sample.reconstruction.max() <= 255


def test_predict_uses_the_decoders_output(build_mae, batch_of):
    model = build_mae()
    torch.nn.init.zeros_(model.neck.head.weight)
    torch.nn.init.zeros_(model.neck.head.bias)
    sample = model.test_step(batch_of([24, 24]))[1]
    masked = sample.masked[0].view(2, 4, 4).repeat_interleave(2, 0)
    masked = masked.repeat_interleave(8, 1).repeat_interleave(8, 2)
    for channel, mean in enumerate((30, 31, 32)):
        values = sample.reconstruction[0, channel][masked]
        torch.testing.assert_close(values, torch.full_like(values, mean))


def test_tensor_mode_returns_latents(build_mae, batch_of):
    model = build_mae()
    data = model.data_preprocessor(batch_of([24, 24]))
    assert model(**data).shape == (4, 6, 24)
    with pytest.raises(ValueError, match='mode'):
        model(**data, mode='losses')


def test_one_video_cannot_be_aligned(build_mae, batch_of):
    model = build_mae(align={})
    with pytest.raises(UserError, match='batch_size=2'):
        model.loss(model.data_preprocessor(batch_of([24]))['inputs'])


def test_clips_of_another_size_are_refused(build_mae, batch_of):
    model = build_mae()
    batch = batch_of([24, 24])
    batch['inputs']['imgs'] = [clip[..., :16] for clip in batch['inputs']['imgs']]
    data = model.data_preprocessor(batch)
    for mode in ('loss', 'predict', 'tensor'):
        with pytest.raises(UserError, match=r'\(4, 32, 16\) .* expects \(4, 32, 32\)'):
            model(**data, mode=mode)
    # As many tokens, in another order of place and time.
    data['inputs']['imgs'] = data['inputs']['imgs'].new_zeros(4, 3, 8, 16, 32)
    with pytest.raises(UserError, match=r'clips of \(8, 16, 32\)'):
        model(**data, mode='loss')


@pytest.mark.parametrize('name', ['visible', 'masked', 'background'])
def test_masks_of_another_size_are_refused(build_mae, batch_of, name):
    model = build_mae()
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    model.loss(inputs)
    tokens = inputs['tokens']
    inputs['tokens'] = tokens._replace(**{name: getattr(tokens, name)[:, 1:]})
    with pytest.raises(UserError, match=r'31 tokens, but the model has 32: .* of SectorMask'):
        model.loss(inputs)


@pytest.mark.parametrize('size', [dict(img_size=64), dict(num_frames=8), dict(patch_size=16)])
def test_a_part_of_another_geometry_is_refused(build_mae, size):
    with pytest.raises(UserError, match=r'backbone\..* contradicts .*=\d+ of the model'):
        build_mae(encoder=size)


def test_the_mask_takes_the_geometry_of_the_model(build_mae):
    model = build_mae(preprocessor=dict(mask=dict(sector='none')))
    assert model.data_preprocessor.sector_mask.patch_size == 8
    with pytest.raises(UserError, match=r'mask\.patch_size=16 contradicts patch_size=8'):
        build_mae(preprocessor=dict(mask=dict(patch_size=16)))


def test_the_decoder_takes_the_width_of_the_encoder(build_mae):
    assert build_mae(encoder=dict(embed_dims=48)).neck.encoder_to_decoder.in_features == 48


@pytest.mark.parametrize('sectors', [[24] * 4, [24, 11, 32, 20]])
def test_gradient_checkpointing_keeps_the_loss_and_saves_memory(build_mae, sectors, batch_of):
    def losses_and_gradients(model):
        sizes = []
        pack = lambda x: sizes.append(x.numel() * x.element_size()) or x  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            losses = model.loss(inputs)
        kept = sum(sizes)
        sum(losses.values()).backward()
        return losses, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, kept

    plain = build_mae(align={}, decoder=dict(depth=4))
    checkpointed = build_mae(align={}, decoder=dict(depth=4, with_cp=True))
    inputs = plain.data_preprocessor(batch_of(sectors))['inputs']
    expected, gradients, all_kept = losses_and_gradients(plain)
    losses, ours, kept = losses_and_gradients(checkpointed)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(ours, gradients)
    assert kept < 0.8 * all_kept


def test_bfloat16_keeps_the_gradients_of_the_norms(build_mae, batch_of):
    model = build_mae(align={})
    inputs = model.data_preprocessor(batch_of([24] * 8, visible_a_video=12))['inputs']
    expected = model.loss(inputs)
    sum(expected.values()).backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(inputs)
    model.zero_grad()
    sum(losses.values()).backward()
    assert losses['loss_align'].dtype is losses['loss_rec'].dtype is torch.float32
    torch.testing.assert_close(losses, expected, rtol=0.01, atol=0.01)
    for name, gradient in gradients.items():
        error = (model.get_parameter(name).grad - gradient).norm() / gradient.norm()
        assert error < 0.1, f'{name}: relative error {error:.2f}'
