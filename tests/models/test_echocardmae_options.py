"""What makes a step cheaper changes no loss and no gradient, but where it says so."""

import pickle
from copy import deepcopy

import pytest
import torch

from echocardmae_mm.utils.errors import UserError


def losses_and_gradients(model, inputs):
    losses = model.loss(inputs)
    model.zero_grad()
    sum(losses.values()).backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return losses, gradients


@pytest.mark.parametrize('chunks', [2, 3, 8, 50])
@pytest.mark.parametrize('pad_masked', [False, True])
def test_a_decoder_in_chunks_loses_the_same(build_mae, chunks, pad_masked, batch_of):
    sectors = [24, 11, 32, 20] if pad_masked else [24] * 4
    model = build_mae(align={}, pad_masked=pad_masked)
    inputs = model.data_preprocessor(batch_of(sectors))['inputs']
    expected, gradients = losses_and_gradients(model, inputs)
    model.decoder_chunks = chunks
    losses, chunked = losses_and_gradients(model, inputs)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(chunked, gradients)


def test_a_decoder_in_chunks_keeps_less(build_mae, batch_of):
    def kept(model):
        sizes = []
        pack = lambda x: sizes.append(x.numel() * x.element_size()) or x  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            model.loss(inputs)
        return sum(sizes)

    model = build_mae()
    inputs = model.data_preprocessor(batch_of([32] * 4))['inputs']
    whole = kept(model)
    model.decoder_chunks = 4
    assert kept(model) < 0.8 * whole


def test_a_part_of_the_masked_tokens_can_be_decoded_in_training(build_mae, batch_of):
    model = build_mae(decode_ratio=0.5)
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
def test_what_cannot_be_decoded_in_part_is_refused(build_mae, settings):
    with pytest.raises(UserError, match='decode_ratio'):
        build_mae(**settings)


@pytest.mark.parametrize('chunks', [0, -1])
def test_no_chunks_are_refused(build_mae, chunks):
    with pytest.raises(UserError, match='decoder_chunks'):
        build_mae(decoder_chunks=chunks)


def test_a_compiled_model_can_be_sent(build_mae, batch_of):
    model = build_mae(compile=dict(backend='aot_eager', dynamic=True))
    assert model.compile_arguments == dict(backend='aot_eager', dynamic=True, fullgraph=True)
    sent = pickle.loads(pickle.dumps(model))
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    assert sent.learn(inputs)[0] == model.learn(inputs)[0]


@pytest.mark.parametrize('compile', [False, dict(backend='aot_eager')])
def test_a_copy_learns_by_itself(build_mae, compile, batch_of):
    model = build_mae(compile=compile)
    inputs = model.data_preprocessor(batch_of([24, 24]))['inputs']
    before = model.loss(inputs)['loss_rec'].item()
    copied = deepcopy(model)
    torch.nn.init.zeros_(model.neck.head.weight)
    assert copied.loss(inputs)['loss_rec'].item() == pytest.approx(before, rel=1e-6)
    assert model.loss(inputs)['loss_rec'].item() != pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize(
    ('background', 'pad_masked', 'chunks'),
    [('positional', False, 1), ('single', True, 1), ('positional', False, 2)],
)
def test_compiled_into_one_graph_it_loses_the_same(
    build_mae, background, pad_masked, chunks, batch_of
):
    settings = dict(align={}, pad_masked=pad_masked, decoder_chunks=chunks)
    plain = build_mae(background, **settings)
    inputs = plain.data_preprocessor(batch_of([24, 24]))['inputs']
    expected, gradients = losses_and_gradients(plain, inputs)
    compiled = build_mae(background, **settings, compile=dict(backend='aot_eager'))
    losses, ours = losses_and_gradients(compiled, inputs)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(ours, gradients)


def test_bfloat16_keeps_the_gradients_of_the_norms(build_mae, batch_of):
    model = build_mae(align={})
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
