"""The command ``convert`` on files of the sources' own layout."""

import argparse
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from mmengine.runner import load_checkpoint
from safetensors.torch import save_file

from echocardmae_mm.cli.convert import main
from echocardmae_mm.models.clip_pair_preprocessor import count_tokens, token_indices
from echocardmae_mm.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def convert(monkeypatch, capsys):
    """``convert(*arguments)`` runs the command; returns its exit status or output."""
    monkeypatch.setenv('COLUMNS', '120')

    def run(*arguments):
        try:
            main([*map(str, arguments)])
        except SystemExit as end:
            return end.code
        return capsys.readouterr().out

    return run


def model(background, patch_size=8, attn_bias=True):
    shared = dict(attn_bias=attn_bias, num_heads=3)
    return MODELS.build(
        dict(
            type='echocardmae_mm.EchoCardMAE',
            img_size=32,
            patch_size=patch_size,
            num_frames=4,
            tubelet_size=2,
            backbone=dict(
                type='echocardmae_mm.MaskedVisionTransformer', embed_dims=24, depth=2, **shared
            ),
            neck=dict(
                type='echocardmae_mm.BackgroundTokenDecoder',
                embed_dims=12,
                depth=1,
                background=background,
                **shared,
            ),
            reconstruction_head=dict(type='echocardmae_mm.ReconstructionHead'),
        )
    )


def released(name):
    reference = np.load(ROOT / 'tests' / 'data' / f'{name}.npz')
    state = {
        key.removeprefix('state/'): torch.from_numpy(reference[key])
        for key in reference.files
        if key.startswith('state/')
    }
    return reference, state


def videomae(patch_size=16):
    """A tiny pretraining state dict under VideoMAE's names, as its code stores it."""
    _, state = released('pretrain_tiny')
    del state['bg_mask_token']
    state['encoder.patch_embed.proj.weight'] = torch.randn(24, 3, 2, patch_size, patch_size)
    state['decoder.head.weight'] = torch.randn(2 * patch_size**2 * 3, 12)
    state['decoder.head.bias'] = torch.randn(2 * patch_size**2 * 3)
    return state


@pytest.mark.parametrize(
    ('name', 'background'),
    [('pretrain_tiny', 'single'), ('pretrain_tiny_positional', 'positional')],
)
def test_released_weights_give_the_released_predictions_in_rgb(name, background, tmp_path, convert):
    reference, state = released(name)
    torch.save({'model': state, 'epoch': 3}, tmp_path / 'EchoCardMAE.pt')
    printed = convert('echocardmae', tmp_path / 'EchoCardMAE.pt', tmp_path / 'ours.pth')
    assert f"background='{background}'" in printed
    assert 'never applied' in printed

    ours = model(background, attn_bias=False)
    checkpoint = load_checkpoint(ours, str(tmp_path / 'ours.pth'), map_location='cpu')
    assert checkpoint['meta']['colours'] == 'RGB'
    state_left = {name for name, _ in ours.named_parameters()} - checkpoint['state_dict'].keys()
    assert not state_left

    foreground, masked = (torch.from_numpy(reference[x]) for x in ('foreground', 'mask'))
    masked &= foreground
    tokens = token_indices(foreground, masked, *count_tokens(foreground, masked))
    clips_rgb = torch.from_numpy(reference['x1']).flip(1)
    latent = ours.backbone(clips_rgb, tokens.visible)
    predicted = ours.decode(latent, tokens)
    predicted_bgr = predicted.unflatten(-1, (-1, 3)).flip(-1).flatten(-2)
    expected = torch.from_numpy(reference['pred1'])
    assert (predicted_bgr - expected).norm() / expected.norm() < 1e-5


@pytest.mark.parametrize('container', ['model', 'module'])
def test_videomae_of_another_patch_size(container, tmp_path, convert):
    source, target = tmp_path / 'videomae.pth', tmp_path / 'ours.pth'
    torch.save({container: videomae(), 'args': argparse.Namespace(lr=1e-3)}, source)
    printed = convert('videomae', source, target, '--patch-size', 8)
    for line in ('resized from patch 16 to 8', 'dropped', 'left fresh', 'loaded'):
        assert line in printed
    fresh = {line.split()[1] for line in printed.splitlines() if 'left fresh' in line}
    assert fresh == {'neck.background_token', 'neck.head.weight', 'neck.head.bias'}
    ours = model('positional')
    state = torch.load(target, weights_only=True)['state_dict']
    missing, unexpected = ours.load_state_dict(state, strict=False)
    assert set(missing) == {'backbone.pos_embed', *fresh}
    assert not unexpected
    q_bias = videomae()['encoder.blocks.1.attn.q_bias']
    assert torch.equal(ours.backbone.blocks[1].attn.q_bias, q_bias)


def test_an_image_transformer_from_a_file(tmp_path, convert):
    image = timm.create_model('vit_tiny_patch16_224', embed_dim=24, depth=2, num_heads=3)
    save_file(image.state_dict(), tmp_path / 'model.safetensors')
    printed = convert('timm', tmp_path / 'model.safetensors', tmp_path / 'ours.pth')
    assert 'inflated over 2 frames' in printed
    state = torch.load(tmp_path / 'ours.pth', weights_only=True)['state_dict']
    encoder = model('single', patch_size=16).backbone
    missing, unexpected = encoder.load_state_dict(
        {name.removeprefix('backbone.'): value for name, value in state.items()}, strict=False
    )
    assert missing == ['pos_embed']
    assert not unexpected


@pytest.mark.parametrize('kept', [0, 5, 300])
@pytest.mark.parametrize('source', ['videomae', 'echocardmae', 'timm'])
def test_a_truncated_safetensors_file_is_named(source, kept, tmp_path, convert):
    path = tmp_path / 'model.safetensors'
    save_file({'weight': torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    error = convert(source, path, tmp_path / 'ours.pth')
    assert error.startswith(f'error: {path}: no safetensors file, or damaged (')
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'layer1.weight': torch.zeros(3)}, 'no tensor fits: the file has layer1.weight'),
        ({'epoch': 3}, 'contains no state dict'),
        ({'model': {}, 'hook': subprocess.Popen}, 'which is not a weight'),
        (
            videomae() | {'encoder.blocks.1.norm1.weight': torch.zeros(25)},
            'impossible shape: size mismatch for backbone.blocks.1.norm1.weight',
        ),
        (
            videomae() | {'encoder.blocks.1.attn.q_norm.weight': torch.zeros(8)},
            "'backbone.blocks.1.attn.q_norm.weight' has no counterpart",
        ),
    ],
    ids=['strange', 'empty', 'code', 'shape', 'extra'],
)
def test_what_cannot_be_converted_is_said(content, message, tmp_path, convert):
    torch.save(content, tmp_path / 'source.pth')
    error = convert('videomae', tmp_path / 'source.pth', tmp_path / 'ours.pth')
    assert error.startswith('error: ')
    assert message in error
    assert not (tmp_path / 'ours.pth').exists()


def test_a_file_is_overwritten_by_force_only(tmp_path, convert):
    source, target = tmp_path / 'source.pth', tmp_path / 'ours.pth'
    torch.save(videomae(), source)
    target.write_text('mine')
    assert 'pass --force' in convert('videomae', source, target)
    assert target.read_text() == 'mine'
    assert convert('videomae', source, target, '--force').endswith('tensors\n')
    assert torch.load(target, weights_only=True)['meta']['from'] == 'VideoMAE'


def test_what_training_stored_is_allowed_while_reading_only(tmp_path, convert):
    source = tmp_path / 'source.pth'
    torch.save({'model': videomae(), 'args': argparse.Namespace(lr=1e-3)}, source)
    before = set(torch.serialization.get_safe_globals())
    convert('videomae', source, tmp_path / 'ours.pth')
    assert set(torch.serialization.get_safe_globals()) == before
    with pytest.raises(pickle.UnpicklingError, match=r'argparse\.Namespace'):
        torch.load(source, weights_only=True)


def test_a_mistake_ends_the_program_with_status_1(command, tmp_path):
    done = command('convert', 'echocardmae', tmp_path / 'none.pt', tmp_path / 'ours.pth')
    assert done.returncode == 1
    assert 'none.pt does not exist' in done.stderr
    assert 'Traceback' not in done.stderr
