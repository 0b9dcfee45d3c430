"""SAM's parts, SAMUS and MemSAM give the outputs of the published modules under equal weights.

The files in tests/data hold the names and shapes of the modules of
facebookresearch/segment-anything (Apache-2.0, commit dca509f), xianlin7/SAMUS (MIT, 030ed07) and
dengxl0520/MemSAM (MIT, 36f1b98) at reduced width, and their outputs in evaluation mode. Weights and
inputs are not stored: both are pure functions of a name. The weights pass through the converter.
MemSAM's memory, which is 256 wide whatever the encoder, was rebuilt 32 wide; the random draws for
its hidden state were fixed to one update, after the fifth of six frames.
"""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from mmseg.structures import SegDataSample
from torch import nn

from echocardmae_mm.cli.convert import main
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_uniform

DATA = Path(__file__).parents[2] / 'data'
HEAD = dict(type='echocardmae_mm.SAMMaskDecoder', embed_dims=32, num_heads=4, mlp_dims=64)
ENCODER = dict(
    type='echocardmae_mm.SAMUSEncoder', embed_dims=32, depth=4, num_heads=4, global_blocks=(1, 3),
    out_channels=32,
)  # fmt: skip
MEMORY = dict(
    type='echocardmae_mm.SpaceTimeMemory', embed_dims=32, key_dims=8, value_dims=32, hidden_dims=8,
    fusion_dims=64,
)  # fmt: skip
SAMUS = dict(
    type='echocardmae_mm.PromptedSegmentor', backbone=ENCODER, decode_head=HEAD,
    data_preprocessor=dict(type='BaseDataPreprocessor'),
)  # fmt: skip
MEMSAM = dict(SAMUS, type='echocardmae_mm.MemorySegmentor', memory=MEMORY)


def numbers(seed, name, shape):
    """Uniform in [0, 1)."""
    key = RngKey(seed, 0, zlib.crc32(name.encode()))
    values = random_uniform(key, RngStream.SHUFFLE, int(np.prod(shape)))
    return values.reshape(shape)


def weight(name, shape):
    values = 2 * numbers(0, name, shape) - 1
    if len(shape) < 2:
        scale = 0.5 if name.endswith('running_var') else 0.2
        values = scale * values + name.endswith(('weight', 'running_var'))
    elif not ('pos' in name or ('embed' in name and len(shape) == 2) or 'token' in name):
        values = values * np.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def published(fixture):
    """A state dict of the names and shapes of the published modules."""
    state = {}
    for line in fixture['names']:
        name, shape = str(line).split(' ') if ' ' in line else (str(line), '')
        shape = tuple(int(side) for side in shape.split('x') if side)
        # MemSAM's files hold the encoder twice.
        first = name.replace('memory.key_encoder', 'image_encoder')
        state[name] = weight(first, shape) if shape else torch.tensor(0)
    return state


def converted(model, state, folder, **changes):
    """A model with the weights of a published file, which pass through the command."""
    config = Config(dict(model={**model, **changes}, default_scope='mmseg'))
    config.dump(folder / 'config.py')
    torch.save(state, folder / 'published.pth')
    source, target = str(folder / 'published.pth'), str(folder / 'ours.pth')
    main(['peer', source, target, '--config', str(folder / 'config.py'), '--force'])
    init_default_scope('mmseg')
    built = MODELS.build(config.model)
    load_checkpoint(built, target)
    built.train(False)
    return built


def clicked(clicks, labels):
    return [
        SegDataSample(metainfo=dict(clicks=[click], click_labels=[label]))
        for click, label in zip(clicks, labels)
    ]


def inputs(name, shape):
    return torch.from_numpy(numbers(1, name, shape).astype(np.float32))


def assert_equal(ours, expected):
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_parts_of_sam_agree_with_sams(tmp_path):
    fixture = np.load(DATA / 'sam_tiny.npz')
    encoder = dict(ENCODER, stride=16, depth=2, num_heads=2, global_blocks=(1,))
    state = published(fixture)
    del state['image_encoder.pos_embed']  # of 16 x 16 places, where SAM has 64 x 64
    ours = converted(SAMUS, state, tmp_path, backbone=encoder)
    embedding = inputs('embedding', (2, 32, 16, 16))
    places = fixture['clicks'][:, 0]
    sparse = ours._prompt(clicked(places, fixture['click_labels'][:, 0]), embedding)
    dense = ours.prompt_encoder.no_mask()
    assert_equal(ours._decode(embedding, sparse, dense), fixture['masks'])
    without = ours._decode(embedding[:1], sparse[:1, :0], dense)
    assert_equal(without, fixture['masks_without_click'])

    window, parallel = ours.backbone.blocks
    tokens = inputs('tokens', (1, 16, 16, 32))
    assert_equal(window(tokens)[:, ::3, ::3], fixture['window_block'])
    for last in (parallel.cross_adapter.out_proj, parallel.mlp_adapter[-1]):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    tokens, _ = parallel(tokens, torch.zeros(1, 32, 16, 16))
    assert_equal(tokens[:, ::3, ::3], fixture['global_block'])


@torch.no_grad()
def test_samus_agrees_with_the_published_modules(tmp_path):
    fixture = np.load(DATA / 'samus_tiny.npz')
    ours = converted(SAMUS, published(fixture), tmp_path)
    images = inputs('images', (2, 3, 256, 256))
    assert_equal(ours.backbone(images)[0][:, ::2, ::4, ::4], fixture['embedding'])
    samples = clicked(fixture['clicks'], fixture['click_labels'])
    assert_equal(ours(images, samples)[:, 1, ::4, ::4], fixture['masks'])
    ours.clicks = False
    assert_equal(ours(images)[:, 1, ::4, ::4], fixture['masks_without_click'])


def test_samus_trains_the_tensors_that_the_published_code_trains(tmp_path):
    fixture = np.load(DATA / 'samus_tiny.npz')
    frozen = dict(frozen=True, backbone=dict(ENCODER, frozen=True))
    ours = converted(SAMUS, published(fixture), tmp_path, **frozen)
    trained = {name: x.numel() for name, x in ours.named_parameters() if x.requires_grad}
    relative = {name for name in trained if 'rel_pos' in name}
    assert {name.split('.')[2] for name in relative} == {'1', '3'}  # the global blocks
    shapes = dict(str(line).split(' ') for line in fixture['names'])
    theirs = sum(
        np.prod([int(side) for side in shapes[name].split('x')])
        for name in fixture['trained']
        if 'rel_pos' not in name  # there the global blocks of ViT-B, by number
    )
    assert sum(trained[name] for name in trained.keys() - relative) == theirs


def test_the_norms_are_those_of_sam():
    """timm's have another epsilon, which random weights do not show."""
    init_default_scope('mmseg')
    encoder, decoder = MODELS.build(ENCODER), MODELS.build(HEAD)
    assert {x.eps for x in encoder.modules() if isinstance(x, nn.LayerNorm)} == {1e-6}
    norms = [x for x in decoder.transformer.modules() if isinstance(x, nn.LayerNorm)]
    assert {x.eps for x in norms} == {1e-5}


@torch.no_grad()
def test_memsam_agrees_with_the_published_modules(tmp_path):
    fixture = np.load(DATA / 'memsam_tiny.npz')
    ours = converted(MEMSAM, published(fixture), tmp_path)
    clip = inputs('clip', (1, 6, 3, 256, 256)).transpose(1, 2)[None]
    samples = clicked(fixture['click'], [1])
    assert_equal(ours(clip, samples)[0, 1:, :, ::16, ::16], fixture['masks'])
    ours.clicks = False
    # No frame depends on a later one.
    without = ours(clip[:, :, :, :2])[0, 1:, :, ::16, ::16]
    assert_equal(without, fixture['masks_without_click'][:, :2])


def test_relative_positions_of_sam_are_resized_and_additions_left_fresh(tmp_path, capsys):
    fixture = np.load(DATA / 'sam_tiny.npz')
    state = published(fixture)
    del state['image_encoder.pos_embed']
    encoder = dict(ENCODER, depth=2, num_heads=2, global_blocks=(1,))  # a grid of 32, not 16
    ours = converted(SAMUS, state, tmp_path, backbone=encoder)
    report = capsys.readouterr().out
    for treatment in ('resized from 31 to 63', 'left fresh', 'dropped', 'loaded'):
        assert treatment in report
    places = (np.arange(63) + 0.5) * 31 / 63 - 0.5
    for side in ('rel_pos_h', 'rel_pos_w'):
        rows = state[f'image_encoder.blocks.1.attn.{side}'].numpy()
        expected = [np.interp(places, np.arange(31), column) for column in rows.T]
        found = getattr(ours.backbone.blocks[1].attn, side).detach()
        np.testing.assert_allclose(found.T, expected, atol=1e-5)


def test_the_file_of_another_peer_is_refused(tmp_path):
    fixture = np.load(DATA / 'samus_tiny.npz')
    deeplab = Path(__file__).parents[3] / 'configs' / 'baselines' / 'seg_deeplabv3.py'
    torch.save(published(fixture), tmp_path / 'samus.pth')
    paths = [str(tmp_path / name) for name in ('samus.pth', 'ours.pth')]
    with pytest.raises(SystemExit, match='has no counterpart in EncoderDecoder') as error:
        main(['peer', *paths, '--config', str(deeplab)])
    assert len(str(error.value).splitlines()) == 1
    assert not (tmp_path / 'ours.pth').exists()
