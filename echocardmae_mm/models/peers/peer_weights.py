"""Give the published weights of other papers their names in the baselines' models."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from echocardmae_mm.models.ef_head import EFHead
from echocardmae_mm.models.weight_conversion import ConvertedWeights
from echocardmae_mm.utils.errors import UserError

_SAM = (
    (r'^image_encoder\.pos_embed$', 'backbone.position_table'),
    (r'^image_encoder\.patch_embed\.proj', 'backbone.patch_embed'),
    (r'^image_encoder\.', 'backbone.'),
    (r'^(backbone\.blocks\.\d+\.mlp)\.lin', r'\1.fc'),
    (
        r'^prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix$',
        'prompt_encoder.frequencies',
    ),
    (r'^mask_decoder\.', 'decode_head.'),
    (r'^(decode_head\.transformer\.layers\.\d+\.mlp)\.lin1', r'\1.0'),
    (r'^(decode_head\.transformer\.layers\.\d+\.mlp)\.lin2', r'\1.2'),
    (r'^decode_head\.output_hypernetworks_mlps\.0\.layers\.0', 'decode_head.mask_mlp.0'),
    (r'^decode_head\.output_hypernetworks_mlps\.0\.layers\.1', 'decode_head.mask_mlp.2'),
    (r'^decode_head\.output_hypernetworks_mlps\.0\.layers\.2', 'decode_head.mask_mlp.4'),
)
_SAMUS = (
    *_SAM,
    (r'^backbone\.cnn_embed\.inc\.conv\.', 'backbone.cnn_stem.'),
    (r'^backbone\.cnn_embed\.downs\.(\d)\.maxpool_conv\.', r'backbone.cnn_stages.\1.'),
    (r'^backbone\.post_pos_embed\.downs\.(\d)\.maxpool_conv\.', r'backbone.position_adapter.\1.'),
    (r'\.input_Adapter\.', '.patch_adapter.'),
    (r'\.MLP_Adapter\.', '.mlp_adapter.'),
    (r'_adapter\.D_fc1', '_adapter.0'),
    (r'_adapter\.D_fc2', '_adapter.2'),
    (r'\.Space_Adapter\.([qkv])\.', r'.cross_adapter.\1_proj.'),
    (r'\.Space_Adapter\.proj\.', '.cross_adapter.out_proj.'),
    (r'\.refine_Adapter\.conv\.', '.cnn_adapter.'),
)
_MEMSAM = (
    *_SAMUS,
    (r'^memory\.key_proj\.', 'memory.'),
    (r'^memory\.memory_reinforce\.conv_wxh', 'memory.reinforcement.0'),
    (r'^memory\.memory_reinforce\.conv_1x1', 'memory.reinforcement.1'),
    (r'^memory\.value_encoder\.conv1', 'memory.value_encoder.0'),
    (r'^memory\.value_encoder\.bn1', 'memory.value_encoder.1'),
    (r'^memory\.value_encoder\.layer1', 'memory.value_encoder.4'),
    (r'^memory\.value_encoder\.layer2', 'memory.value_encoder.5'),
    (r'^memory\.value_encoder\.fuser', 'memory.value_fusion'),
    (r'^memory\.value_encoder\.hidden_reinforce', 'memory.value_gru'),
    (r'^memory\.decoder\.fuser', 'memory.prompt_fusion'),
    (r'^memory\.decoder\.hidden_update', 'memory.prompt_gru'),
    (r'\.attention\.ChannelGate\.mlp\.1', '.channel_gate.0'),
    (r'\.attention\.ChannelGate\.mlp\.3', '.channel_gate.2'),
    (r'\.attention\.SpatialGate\.spatial\.conv', '.spatial_gate'),
)

_LAST = ('cls_head.', 'decode_head.')
_HEADS = (*_LAST, 'prompt_encoder.', 'memory.')

#: Method, a tensor that only its files have, and the renames of its tensors.
PEERS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ('MemSAM', 'memory.key_proj.key_proj.weight', _MEMSAM),
    ('SAMUS', 'image_encoder.cnn_embed.inc.conv.0.weight', _SAMUS),
    ('SAM', 'image_encoder.neck.0.weight', _SAM),
    (
        'EchoNet (segmentation)',
        'classifier.4.weight',
        ((r'^classifier\.4\.', 'decode_head.conv_seg.'), (r'^classifier', 'decode_head.features')),
    ),
    (
        'CoReEcho',
        'regressor.6.weight',
        ((r'^regressor\.6\.', 'cls_head.fc.'), (r'^regressor', 'cls_head.hidden')),
    ),
    ('EchoNet (ejection fraction)', 'stem.0.weight', ((r'^fc\.', 'cls_head.fc.'),)),
    ('EchoCoTr or UniFormer', 'patch_embed1.proj.weight', ((r'^head\.', 'cls_head.fc.'),)),
)


def from_peer(state: dict[str, Tensor], model: nn.Module) -> tuple[str, ConvertedWeights]:
    """Convert weights of another paper for the model of a config.

    The last layer of these methods gives the ejection fraction in per cent; it is rescaled to the
    unit of the model's :class:`EFHead`. A last layer of another size, such as that of Kinetics-400,
    is dropped, and so are the parts of SAM's heads that the model has no use for. Relative
    positions of SAM are resized linearly.

    Args:
        state (dict[str, Tensor]): State dict of the released code, with or without the prefix
            ``module.``.
        model (nn.Module): Model of a config in ``configs/baselines/``.

    Returns:
        tuple[str, ConvertedWeights]: The method, and weights for ``model``.

    Raises:
        UserError: If the weights belong to none of these methods.
    """
    state = {re.sub(r'^(model\.)?module\.', '', name): tensor for name, tensor in state.items()}
    method, renames = next(
        ((method, renames) for method, mark, renames in PEERS if mark in state), ('', ())
    )
    if not method:
        raise UserError(
            f'the file has {", ".join(list(state)[:3])}, ...: weights of none of '
            f'{", ".join(method for method, _, _ in PEERS)}'
        )
    expected = model.state_dict()
    weights = ConvertedWeights()
    for old, tensor in state.items():
        new = old
        for pattern, name in renames:
            new = re.sub(pattern, name, new)
        if not new.startswith((*_HEADS, 'backbone.')):
            new = f'backbone.{new}'
        fits = new in expected and expected[new].shape == tensor.shape
        if new.startswith(_LAST if new in expected else _HEADS) and not fits:
            weights.dropped[old] = tensor
        elif new in expected and not fits and '.attn.rel_pos_' in new:
            rows = len(expected[new])
            weights.state[new] = F.interpolate(tensor.T[None], rows, mode='linear')[0].T
            weights.changes[new] = f'resized from {len(tensor)} to {rows} relative positions'
        else:
            weights.state[new] = tensor
    head = getattr(model, 'cls_head', None)
    if isinstance(head, EFHead) and 'cls_head.fc.weight' in weights.state:
        _rescale(weights, head)
    return method, weights


def _rescale(weights: ConvertedWeights, head: EFHead) -> None:
    """From per cent to fractions (``target='percent'``) or standard deviations."""
    percent = head.target == 'percent'
    mean, std = (torch.zeros(()), torch.full((), 100.0)) if percent else (head.mean, head.std)
    if not (mean.isfinite() and std.isfinite()):
        raise UserError(
            "EFHead: target='zscore' needs mean and std to rescale the last layer\n"
            'Set model.cls_head.mean=55.6 and model.cls_head.std=1'
        )
    weight, bias = weights.state['cls_head.fc.weight'], weights.state['cls_head.fc.bias']
    weights.state |= {'cls_head.fc.weight': weight / std, 'cls_head.fc.bias': (bias - mean) / std}
    change = f'rescaled to (EF - {float(mean):g}) / {float(std):g}'
    weights.changes |= {f'cls_head.fc.{name}': change for name in ('weight', 'bias')}
