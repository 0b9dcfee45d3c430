import pickle
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.models import VisionTransformer
from mmengine.structures import BaseDataElement
from mmengine.utils import digit_version

from echocardmae_mm.errors import EchoError
from echocardmae_mm.models.clip_pair_preprocessor import token_indices
from echocardmae_mm.models.foreign_weights import from_echocardmae, rename
from echocardmae_mm.registry import MODELS

DATA = Path(__file__).parents[1] / 'data'
SIZE = dict(img_size=32, patch_size=8, num_frames=4, tubelet_size=2, num_heads=3)


MEAN, STD = (30, 31, 32), (50, 51, 52)
compiles = pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.5'),
    reason="torch 2.4 cannot trace mmengine's module wrappers into one graph",
)


def build(
    background='positional',
    attn_bias=True,
    align=None,
    loss_rec=1.0,
    decoder_chunks=1,
    decode_ratio=1.0,
    compile=False,
    encoder=None,
    **preprocessor,
):
    if align is not None:
        align = dict(type='echocardmae_mm.AlignmentHead', **align)
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='echocardmae_mm.EchoCardMAE',
            data_preprocessor=dict(
                type='echocardmae_mm.ClipPairPreprocessor',
                **{'mean': MEAN, 'std': STD, **preprocessor},
            ),
            decoder_chunks=decoder_chunks,
            decode_ratio=decode_ratio,
            compile=compile,
            backbone=dict(
                type='echocardmae_mm.MaskedVisionTransformer',
                embed_dims=24,
                depth=2,
                attn_bias=attn_bias,
                **{**SIZE, **(encoder or {})},
            ),
            neck=dict(
                type='echocardmae_mm.BackgroundTokenDecoder',
                in_dims=24,
                embed_dims=12,
                depth=1,
                background=background,
                attn_bias=attn_bias,
                **SIZE,
            ),
            reconstruction_head=dict(
                type='echocardmae_mm.ReconstructionHead', loss_weight=loss_rec
            ),
            alignment_head=align,
        )
    )
    model.init_weights()
    return model


def batch_of(sectors, seed=0, visible_a_video=6):
    """A collated batch: one video for each number of sector tokens."""
    rng = np.random.default_rng(seed)
    batch = {name: [] for name in ('imgs', 'target', 'sector', 'masked')}
    for tokens in sectors:
        for name in ('imgs', 'target'):
            pixels = rng.integers(0, 256, (2, 3, 4, 32, 32), dtype=np.uint8)
            batch[name].append(torch.from_numpy(pixels))
        order = rng.permutation(32)
        sector, masked = torch.zeros(2, 32, dtype=torch.bool), torch.zeros(2, 32, dtype=torch.bool)
        sector[:, order[:tokens]] = True
        masked[:, order[visible_a_video:tokens]] = True
        batch['sector'].append(sector)
        batch['masked'].append(masked)
    return {'inputs': batch, 'data_samples': [BaseDataElement() for _ in sectors]}


def assert_close(actual, expected, name=''):
    expected = torch.as_tensor(np.asarray(expected))
    error = (actual.detach() - expected).norm() / expected.norm()
    assert error < 1e-5, f'{name}: relative error {error:.2e}'


@pytest.mark.parametrize(
    ('file', 'background'),
    [('pretrain_tiny', 'single'), ('pretrain_tiny_positional', 'positional')],
)
def test_agrees_with_the_released_code(file, background):
    reference = np.load(DATA / f'{file}.npz')

    def tensors(prefix):
        names = [name for name in reference.files if name.startswith(prefix)]
        return {name.removeprefix(prefix): torch.from_numpy(reference[name]) for name in names}

    model = build(
        background,
        attn_bias=False,
        loss_rec=0.8,
        align=dict(loss_weight=0.2, include_positive=True, symmetric=True),
        mean=(0, 0, 0),  # the released clips are normalised
        std=(1, 1, 1),
    )
    weights = from_echocardmae(tensors('state/'))
    missing, unexpected = model.load_state_dict(weights.state, strict=False)
    assert missing == ['backbone.pos_embed']
    assert not unexpected
    assert not weights.dropped

    sector, masked = (torch.from_numpy(reference[x]).repeat(2, 1) for x in ('foreground', 'mask'))
    masked &= sector
    inputs = token_indices(sector, masked, pad_masked=False)
    for ours, released in (('imgs', 'x'), ('target', 'y')):
        clips = [torch.from_numpy(reference[f'{released}{i}']) for i in (1, 2)]
        inputs[ours] = torch.cat(clips)

    latent = model(inputs)
    prediction = model.neck(latent, inputs['visible'], inputs['masked'], inputs['background'])
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


def test_trains_from_a_collated_batch():
    model = build(align={})
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
def test_a_video_loses_the_same_alone_and_in_company(background):
    model = build(background, pad_masked=True)
    sectors = [24, 11, 32]
    batch = batch_of(sectors)
    together = model.loss(model.data_preprocessor(batch)['inputs'])['loss_rec']
    alone = []
    for i in range(len(sectors)):
        video = {name: value[i : i + 1] for name, value in batch['inputs'].items()}
        for pad_masked in (True, False):
            model.data_preprocessor.pad_masked = pad_masked
            inputs = model.data_preprocessor({'inputs': video})['inputs']
            alone.append(model.loss(inputs)['loss_rec'].item())
    assert alone[0::2] == pytest.approx(alone[1::2], rel=1e-6)
    assert together.item() == pytest.approx(np.mean(alone[0::2]), rel=1e-6)


@pytest.mark.parametrize('pad_masked', [False, True])
def test_predict_pastes_the_prediction_into_the_masked_tokens(pad_masked):
    model = build(pad_masked=pad_masked)
    sectors = [24, 12] if pad_masked else [24, 24]
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


def test_predict_uses_the_decoders_output():
    model = build()
    torch.nn.init.zeros_(model.neck.head.weight)
    torch.nn.init.zeros_(model.neck.head.bias)
    sample = model.test_step(batch_of([24, 24]))[1]
    masked = sample.masked[0].view(2, 4, 4).repeat_interleave(2, 0)
    masked = masked.repeat_interleave(8, 1).repeat_interleave(8, 2)
    for channel, mean in enumerate((30, 31, 32)):
        values = sample.reconstruction[0, channel][masked]
        torch.testing.assert_close(values, torch.full_like(values, mean))


def test_tensor_mode_returns_latents():
    model = build()
    data = model.data_preprocessor(batch_of([24, 24]))
    assert model(**data).shape == (4, 6, 24)
    with pytest.raises(ValueError, match='mode'):
        model(**data, mode='losses')


def test_one_video_cannot_be_aligned():
    model = build(align={})
    with pytest.raises(EchoError, match='batch_size=2'):
        model.loss(model.data_preprocessor(batch_of([24]))['inputs'])


def losses_and_gradients(model, inputs):
    losses = model.loss(inputs)
    model.zero_grad()
    sum(losses.values()).backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return losses, gradients


@pytest.mark.parametrize('chunks', [2, 3, 8, 50])
@pytest.mark.parametrize('pad_masked', [False, True])
def test_a_decoder_in_chunks_loses_the_same(chunks, pad_masked):
    sectors = [24, 11, 32, 20] if pad_masked else [24] * 4
    model = build(align={}, pad_masked=pad_masked)
    inputs = model.data_preprocessor(batch_of(sectors))['inputs']
    expected, gradients = losses_and_gradients(model, inputs)
    model.decoder_chunks = chunks
    losses, chunked = losses_and_gradients(model, inputs)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(chunked, gradients)


def test_a_decoder_in_chunks_keeps_less():
    def kept(model):
        sizes = []
        pack = lambda x: sizes.append(x.numel() * x.element_size()) or x  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            model.loss(inputs)
        return sum(sizes)

    model = build()
    inputs = model.data_preprocessor(batch_of([32] * 4))['inputs']
    whole = kept(model)
    model.decoder_chunks = 4
    assert kept(model) < 0.8 * whole


def test_a_part_of_the_masked_tokens_can_be_decoded_in_training():
    model = build(decode_ratio=0.5)
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    asked = []
    decode = model.neck.forward
    model.neck.forward = lambda *args: asked.append(args[2]) or decode(*args)

    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        losses.append(model.loss(inputs)['loss_rec'].item())
    assert losses[0] == losses[1] != losses[2]
    for row, chosen in zip(inputs['masked'].tolist(), asked[0].tolist()):
        assert len(row) == 18
        assert len(set(chosen)) == 9
        assert set(chosen) < set(row)
    assert not torch.equal(asked[0], asked[2])

    model.eval()
    model.loss(inputs)
    assert torch.equal(asked[3], inputs['masked'])


@pytest.mark.parametrize('settings', [dict(decode_ratio=0), dict(decode_ratio=1.2),
                                      dict(decode_ratio=0.5, pad_masked=True)])  # fmt: skip
def test_what_cannot_be_decoded_in_part_is_refused(settings):
    with pytest.raises(EchoError, match='decode_ratio'):
        build(**settings)


@pytest.mark.parametrize('compile', [False, dict(backend='aot_eager')])
def test_clips_of_another_size_are_refused(compile):
    model = build(compile=compile)
    batch = batch_of([24, 24])
    batch['inputs']['imgs'] = [clip[..., :16] for clip in batch['inputs']['imgs']]
    data = model.data_preprocessor(batch)
    for mode in ('loss', 'predict', 'tensor'):
        with pytest.raises(EchoError, match='have 16 tokens, the model is made for 32'):
            model(**data, mode=mode)


@pytest.mark.parametrize('size', [dict(img_size=64), dict(num_frames=8), dict(patch_size=16)])
def test_an_encoder_of_another_size_than_the_decoder_is_refused(size):
    with pytest.raises(EchoError, match='tokens, the decoder for 32'):
        build(encoder=size)


@pytest.mark.parametrize('chunks', [0, -1])
def test_no_chunks_are_refused(chunks):
    with pytest.raises(EchoError, match='decoder_chunks'):
        build(decoder_chunks=chunks)


def test_a_compiled_model_can_be_sent():
    model = build(compile=dict(backend='aot_eager', dynamic=True))
    assert model.compile_arguments == dict(backend='aot_eager', dynamic=True, fullgraph=True)
    sent = pickle.loads(pickle.dumps(model))
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    assert sent.learn(inputs)[0] == model.learn(inputs)[0]


@pytest.mark.parametrize(
    'compile', [False, pytest.param(dict(backend='aot_eager'), marks=compiles)]
)
def test_a_copy_learns_by_itself(compile):
    model = build(compile=compile)
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    before = model.loss(inputs)['loss_rec'].item()
    copied = deepcopy(model)
    torch.nn.init.zeros_(model.neck.head.weight)
    assert copied.loss(inputs)['loss_rec'].item() == pytest.approx(before, rel=1e-6)
    assert model.loss(inputs)['loss_rec'].item() != pytest.approx(before, rel=1e-3)


@compiles
@pytest.mark.parametrize(
    ('background', 'pad_masked', 'chunks'),
    [('positional', False, 1), ('single', True, 1), ('positional', False, 2)],
)
def test_compiled_into_one_graph_it_loses_the_same(background, pad_masked, chunks):
    settings = dict(align={}, pad_masked=pad_masked, decoder_chunks=chunks)
    plain = build(background, **settings)
    inputs = plain.data_preprocessor(batch_of([24, 24]))['inputs']
    expected, gradients = losses_and_gradients(plain, inputs)
    compiled = build(background, **settings, compile=dict(backend='aot_eager'))
    losses, ours = losses_and_gradients(compiled, inputs)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(ours, gradients)


def test_bfloat16_keeps_the_gradients_of_the_norms():
    model = build(align={})
    inputs = model.data_preprocessor(batch_of([24] * 8, visible_a_video=12))['inputs']
    expected, gradients = losses_and_gradients(model, inputs)
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(inputs)
    model.zero_grad()
    sum(losses.values()).backward()
    assert losses['loss_align'].dtype is losses['loss_rec'].dtype is torch.float32
    torch.testing.assert_close(losses, expected, rtol=0.01, atol=0.01)
    for name, gradient in gradients.items():
        error = (model.get_parameter(name).grad - gradient).norm() / gradient.norm()
        assert error < 0.1, f'{name}: relative error {error:.2f}'
