"""The pretrained decoder as a segmentation head, against the released model's figures."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import save_checkpoint
from mmengine.structures import PixelData

from echocardmae_mm.models import (
    BackgroundTokenDecoder,
    FrameVisionTransformer,
    MAESegHead,
    checkpoint_report,
)
from echocardmae_mm.utils.errors import UserError

PARITY = Path(__file__).parents[1] / 'data' / 'seg_tiny.npz'
SIZE = dict(embed_dims=12, depth=1, num_heads=3, in_channels=24, img_size=32, patch_size=8)


def released_names(name: str) -> str:
    for old, new in (
        ('patch_embed.proj', 'patch_embed.projection'),
        ('mlp.fc1', 'mlp.layers.0.0'),
        ('mlp.fc2', 'mlp.layers.1'),
    ):
        name = name.replace(old, new)
    return name


def test_agrees_with_the_released_model():
    parity = np.load(PARITY)
    state = {
        released_names(key.removeprefix('state/')): torch.from_numpy(parity[key])
        for key in parity.files
        if key.startswith('state/')
    }
    options = dict(norm_cfg=dict(type='LN', eps=1e-5), use_learnable_pos_emb=True)
    encoder = FrameVisionTransformer(
        patch_size=8, embed_dims=24, depth=2, num_heads=3, attn_bias=False,
        **options,
    )  # fmt: skip
    own = {k.removeprefix('encoder.'): v for k, v in state.items() if k.startswith('encoder.')}
    kernel = 'patch_embed.projection.weight'
    own[kernel] = own[kernel][:, :, None]
    head = MAESegHead(
        2, in_channels=24, embed_dims=12, depth=1, num_heads=3, patch_size=8,
        use_learnable_pos_emb=True, norm_cfg=dict(type='LN', eps=1e-5), attn_bias=False,
    )  # fmt: skip
    decoder = {
        k.removeprefix('decoder.').replace('head.', 'classifier.'): v
        for k, v in state.items()
        if not k.startswith('encoder.')
    }
    for part, values in ((encoder, own), (head, decoder)):
        # The released attention holds these biases and never applies them.
        values = {
            k: torch.zeros_like(v) if k.endswith(('q_bias', 'v_bias')) else v
            for k, v in values.items()
        }
        part.load_state_dict(values)
    with torch.no_grad():
        logits = head(encoder(torch.from_numpy(parity['x'])))
    torch.testing.assert_close(logits, torch.from_numpy(parity['logits']), rtol=1e-4, atol=1e-5)


def test_the_pretrained_decoder_is_loaded_and_only_the_classifier_is_fresh(tmp_path, monkeypatch):
    torch.manual_seed(0)
    decoder = BackgroundTokenDecoder(num_frames=4, **SIZE)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter)
    path = str(tmp_path / 'a.pth')
    state = {f'neck.{name}': value for name, value in decoder.state_dict().items()}
    save_checkpoint(dict(state_dict=state, meta={}), path)
    messages: list[str] = []
    monkeypatch.setattr(checkpoint_report, 'print_log', lambda message, _: messages.append(message))
    head = MAESegHead(3, **SIZE, init_cfg=dict(type='Pretrained', checkpoint=path, prefix='neck.'))
    head.init_weights()
    for name, value in head.state_dict().items():
        if not name.startswith('classifier'):
            assert torch.equal(value, decoder.state_dict()[name]), name
    bound = (6 / (12 + 3 * 64)) ** 0.5  # Glorot's, with 12 inputs and 192 outputs
    assert 0.95 * bound < head.classifier.weight.abs().max() <= bound
    assert (head.classifier.bias == 0).all()
    count = len(head.state_dict())
    assert messages == [
        f'decoder: {count - 2} of {count} tensors from {path}; fresh: classifier.bias, '
        'classifier.weight; unused: background_token, head.bias, head.weight, mask_token; '
        'pos_embed is computed'
    ]


def test_pixels_of_a_patch_are_laid_out_as_in_pretraining():
    head = MAESegHead(3, **SIZE)
    features = torch.randn(1, 24, 4, 4)
    tokens = head.encoder_to_decoder(features.flatten(2).transpose(1, 2)) + head.pos_embed
    outputs = head.classifier(head.norm(head.blocks[0](tokens)))
    logits = head(features)
    for token, y, x, label in ((0, 0, 0, 0), (5, 3, 7, 2), (15, 7, 1, 1)):
        row, column = 8 * (token // 4) + y, 8 * (token % 4) + x
        expected = outputs[0, token, (y * 8 + x) * 3 + label]
        torch.testing.assert_close(logits[0, label, row, column], expected)


def samples(labels):
    from mmseg.structures import SegDataSample

    return [SegDataSample(gt_sem_seg=PixelData(data=frames)) for frames in labels]


def test_a_clips_unlabelled_frames_do_not_count():
    torch.manual_seed(0)
    losses = [
        dict(type='echocardmae_mm.DiceLoss'),
        dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
    ]
    head = MAESegHead(2, num_frames=4, tubelet_size=2, loss_decode=losses, **SIZE)
    features = torch.randn(2, 24, 2, 4, 4)
    labels = torch.randint(0, 2, (2, 4, 32, 32))
    labels[:, [0, 2]] = 255
    labels[1, 1] = 255
    got = head.loss(features, samples(labels), {})
    logits = head(features)
    assert logits.shape == (2, 2, 4, 32, 32)
    frames = torch.stack([logits[0, :, 1], logits[0, :, 3], logits[1, :, 3]])
    truth = torch.stack([labels[0, 1], labels[0, 3], labels[1, 3]])
    torch.testing.assert_close(got['loss_ce'], F.cross_entropy(frames, truth))
    torch.testing.assert_close(got['loss_dice'], head.losses[0](frames, truth))


def test_unlabelled_clips_have_zero_loss():
    head = MAESegHead(2, **SIZE)
    labels = torch.full((2, 1, 32, 32), 255)
    loss = head.loss(torch.randn(2, 24, 4, 4), samples(labels), {})['loss_dice']
    loss.backward()
    assert loss == 0


def test_features_of_another_grid_are_refused():
    with pytest.raises(UserError, match=r'expects \(1, 4, 4\) patches .* but got \(1, 7, 7\)'):
        MAESegHead(2, **SIZE)(torch.randn(1, 24, 7, 7))
