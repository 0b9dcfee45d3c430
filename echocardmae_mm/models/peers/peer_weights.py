"""Give the published weights of other papers their names in the baselines' models."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from echocardmae_mm.models.ef_head import EFHead
from echocardmae_mm.models.weight_conversion import ConvertedWeights
from echocardmae_mm.utils.errors import UserError

#: Method, a tensor that only its files have, and the renames of its tensors.
PEERS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
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
    """Convert weights of EchoNet, EchoCoTr or CoReEcho for the model of a config.

    The last layer of these methods gives the ejection fraction in per cent; it is rescaled to the
    unit of the model's :class:`EFHead`. A last layer of another size, such as that of Kinetics-400,
    is dropped.

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
        if not new.startswith(('backbone.', 'cls_head.', 'decode_head.')):
            new = f'backbone.{new}'
        of_head = new.startswith(('cls_head.', 'decode_head.'))
        if of_head and (new not in expected or expected[new].shape != tensor.shape):
            weights.dropped[old] = tensor
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
