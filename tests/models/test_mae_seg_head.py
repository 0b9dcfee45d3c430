"""The pretrained decoder as a segmentation head, against the released model and its training."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import save_checkpoint
from mmengine.structures import PixelData
from monai.losses import DiceLoss as MonaiDiceLoss

from echocardmae_mm.models import BackgroundTokenDecoder, MAESegHead, checkpoint_report
from echocardmae_mm.utils.errors import UserError

ROOT = Path(__file__).parents[2]
PARITY = ROOT / 'tests' / 'data' / 'seg_tiny.npz'
SIZE = dict(embed_dims=12, depth=1, num_heads=3, in_channels=24, img_size=32, patch_size=8)


@pytest.fixture
def released() -> dict[str, torch.Tensor]:
    """The released model's parameters under its own names, an image batch and its logits."""
    with np.load(PARITY) as parity:
        return {key.removeprefix('state/'): torch.from_numpy(parity[key]) for key in parity.files}


@pytest.fixture
def config() -> Config:
    """``configs/release/seg_echonet.py``, as narrow as the released figures."""
    config = Config.fromfile(ROOT / 'configs' / 'release' / 'seg_echonet.py')
    size = dict(num_heads=3, init_cfg=None)
    config.model.backbone.update(embed_dims=24, depth=2, **size)
    config.model.decode_head.update(in_channels=24, embed_dims=12, depth=1, **size)
    return config


@pytest.fixture
def model(config, released) -> BaseModel:
    """The config's model with the released parameters."""
    init_default_scope('mmseg')
    model = MODELS.build(config.model)
    model.load_state_dict({our_name(key): value for key, value in our_state(released).items()})
    return model


def our_state(released: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    state = {key: value for key, value in released.items() if key not in ('x', 'logits')}
    kernel = 'encoder.patch_embed.proj.weight'
    state[kernel] = state[kernel][:, :, None]
    # The released attention holds these biases and never applies them.
    return {
        key: torch.zeros_like(value) if key.endswith(('q_bias', 'v_bias')) else value
        for key, value in state.items()
    }


def our_name(name: str) -> str:
    for old, new in (
        ('patch_embed.proj', 'patch_embed.projection'),
        ('mlp.fc1', 'mlp.layers.0.0'),
        ('mlp.fc2', 'mlp.layers.1'),
        ('decoder.head.', 'decoder.classifier.'),
    ):
        name = name.replace(old, new)
    is_encoder = name.startswith('encoder.')
    part = 'backbone.' if is_encoder else 'decode_head.'
    return part + name.removeprefix('encoder.' if is_encoder else 'decoder.')


def test_agrees_with_the_released_model(model, released):
    with torch.no_grad():
        logits = model.decode_head(model.backbone(released['x']))
    torch.testing.assert_close(logits, released['logits'], rtol=1e-4, atol=1e-5)


def released_logits(weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The released network as plain arithmetic; patches of 8, three heads."""

    def norm(tokens, name):
        size = tokens.shape[-1:]
        return F.layer_norm(tokens, size, weights[f'{name}.weight'], weights[f'{name}.bias'], 1e-5)

    def linear(tokens, name):
        return F.linear(tokens, weights[f'{name}.weight'], weights[f'{name}.bias'])

    def block(tokens, name):
        attended = norm(tokens, f'{name}.norm1') @ weights[f'{name}.attn.qkv.weight'].T
        q, k, v = attended.unflatten(-1, (3, 3, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, N, c)
        shares = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1)
        tokens = tokens + linear((shares @ v).transpose(1, 2).flatten(2), f'{name}.attn.proj')
        hidden = F.gelu(linear(norm(tokens, f'{name}.norm2'), f'{name}.mlp.fc1'))
        return tokens + linear(hidden, f'{name}.mlp.fc2')

    patch = 'encoder.patch_embed.proj'
    tokens = F.conv2d(images, weights[f'{patch}.weight'], weights[f'{patch}.bias'], stride=8)
    tokens = tokens.flatten(2).transpose(1, 2) + weights['encoder.pos_embed']
    tokens = norm(block(block(tokens, 'encoder.blocks.0'), 'encoder.blocks.1'), 'encoder.norm')
    tokens = tokens @ weights['encoder_to_decoder.weight'].T + weights['pos_embed']
    pixels = linear(norm(block(tokens, 'decoder.blocks.0'), 'decoder.norm'), 'decoder.head')
    rows = pixels.unflatten(-1, (8, 8, 2)).unflatten(1, (14, 14))  # (B, h, w, y, x, classes)
    return rows.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)


def test_three_steps_agree_with_the_released_training(model, config, released):
    images = released.pop('x').double()
    torch.testing.assert_close(
        released_logits(released, images.float()), released.pop('logits'), rtol=1e-4, atol=1e-5
    )
    rows, columns = torch.meshgrid(torch.arange(112), torch.arange(112), indexing='ij')
    labels = torch.stack([(rows - 50) ** 2 + (columns - x) ** 2 < 30**2 for x in (40, 70)]).long()

    weights = {
        key: value.double().requires_grad_()
        for key, value in released.items()
        if not key.endswith(('q_bias', 'v_bias'))
    }
    dice = MonaiDiceLoss(include_background=True, softmax=True, to_onehot_y=True)
    adam = torch.optim.AdamW(weights.values(), lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-4)

    model.double()
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    ours = dict(model.named_parameters())
    for _ in range(3):
        expected = dice(released_logits(weights, images), labels[:, None])
        adam.zero_grad()
        expected.backward()
        losses = model.loss(images, samples(labels[:, None]))
        assert losses.keys() == {'decode.loss_dice'}
        loss = losses['decode.loss_dice']
        torch.testing.assert_close(loss.double(), expected, rtol=1e-6, atol=0)
        wrapper.zero_grad()
        wrapper.backward(loss)
        for key, weight in weights.items():
            gradient = ours[our_name(key)].grad.reshape(weight.shape)
            torch.testing.assert_close(gradient, weight.grad, rtol=1e-4, atol=1e-9, msg=key)
        adam.step()
        wrapper.step()
    for key, weight in weights.items():
        trained = ours[our_name(key)].reshape(weight.shape)
        torch.testing.assert_close(trained, weight, rtol=0, atol=2e-8, msg=key)


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


def test_losses_of_one_name_are_added():
    labels = torch.randint(0, 2, (2, 1, 32, 32), generator=torch.Generator().manual_seed(0))
    features = torch.randn(2, 24, 4, 4)
    loss = dict(type='echocardmae_mm.DiceLoss')
    head = MAESegHead(2, loss_decode=[loss, dict(loss, loss_weight=3.0)], **SIZE)
    total = head.loss(features, samples(labels), {})['loss_dice']
    once = head.losses[0](head(features), labels.squeeze(1))
    torch.testing.assert_close(total, 4 * once)


def test_unlabelled_clips_have_zero_loss():
    head = MAESegHead(2, **SIZE)
    labels = torch.full((2, 1, 32, 32), 255)
    loss = head.loss(torch.randn(2, 24, 4, 4), samples(labels), {})['loss_dice']
    loss.backward()
    assert loss == 0


def test_features_of_another_grid_are_refused():
    with pytest.raises(UserError, match=r'expects \(1, 4, 4\) patches .* but got \(1, 7, 7\)'):
        MAESegHead(2, **SIZE)(torch.randn(1, 24, 7, 7))
