"""The part of a model that runtimes compute: frames in, predictions or features out."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from echocardmae_mm.models.echocardmae import EchoCardMAE
from echocardmae_mm.models.ef_head import pool
from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.utils.errors import UserError

#: Name of the output of each task.
OUTPUTS = {
    'ejection_fraction': 'ef_percent',
    'segmentation': 'logits',
    'diagnosis': 'probabilities',
    'view': 'probabilities',
    'features': 'features',
    'tokens': 'tokens',
}


class Network(nn.Module):
    """Normalisation, encoder and head of a model, for any number of clips or frames.

    Args:
        model (BaseModel): A model of MMAction2 or MMSegmentation, :class:`ClipSegmentor` or
            :class:`EchoCardMAE`.
        task (str): A key of :data:`OUTPUTS`. 'features' and 'tokens' need a model of clips.

    Raises:
        UserError: If the model's data preprocessor does more than normalise, or the model has no
            tokens.
    """

    def __init__(self, model: BaseModel, task: str) -> None:
        super().__init__()
        self.model = model
        self.task = task
        self.is_pretraining = isinstance(model, EchoCardMAE)
        processor = model.data_preprocessor
        if not self.is_pretraining and (
            not getattr(processor, '_enable_normalize', False)
            or getattr(processor, 'test_cfg', None)
        ):
            raise UserError(
                f'{type(processor).__name__}: expected a data preprocessor with mean and std that '
                'does not pad in tests'
            )
        self.swap_channels = any(
            getattr(processor, name, False) for name in ('to_rgb', 'channel_conversion')
        )
        backbone = model.backbone
        if task == 'tokens' and not (
            self.is_pretraining or isinstance(backbone, FusedVisionTransformer)
        ):
            raise UserError(f'{type(backbone).__name__} has no tokens, only pooled features')

    def forward(self, inputs: Tensor) -> Tensor:
        """Predict.

        Args:
            inputs (Tensor): uint8 clips (N, 3, T, H, W) or frames (N, 3, H, W).

        Returns:
            Tensor: float32: ejection fractions in per cent (N,), probabilities (N, K), logits
            (N, K, T, H, W) or (N, K, H, W), features (N, C), or the mean tokens of each time slot
            (N, T / tubelet size, C).
        """
        inputs = inputs.to(next(self.model.parameters()).device)
        if self.is_pretraining:
            tokens = self.model.extract_feat(inputs)  # (N, slots * h * w, C)
            slots = inputs.shape[2] // self.model.tubelet_size
            return tokens.mean(1) if self.task == 'features' else _slots(tokens, slots)
        inputs = self._normalise(inputs)
        if self.task == 'segmentation':
            return self._segment(inputs)
        if self.task == 'tokens':
            return self._tokens(inputs)
        features, _ = self.model.extract_feat(inputs.unsqueeze(1), stage='neck')
        if self.task == 'features':
            return pool(features)
        scores = self.model.cls_head(features)
        return scores if self.task == 'ejection_fraction' else scores.softmax(-1)

    def _normalise(self, inputs: Tensor) -> Tensor:
        processor = self.model.data_preprocessor
        if self.swap_channels:
            inputs = inputs.flip(1)
        return (inputs.float() - processor.mean) / processor.std

    def _segment(self, inputs: Tensor) -> Tensor:
        if inputs.ndim == 5:
            return self.model(inputs.unsqueeze(1))
        size = inputs.shape[2:]
        logits = self.model.inference(inputs, [{'ori_shape': size, 'img_shape': size}])
        if logits.shape[1] > 1:
            return logits
        # One channel and a threshold, (N, 1, H, W), as logits of background and structure.
        threshold = torch.logit(torch.tensor(self.model.decode_head.threshold))
        return torch.cat([torch.zeros_like(logits), logits - threshold], dim=1)

    def _tokens(self, inputs: Tensor) -> Tensor:
        backbone = self.model.backbone
        backbone.return_feat_map = True
        try:
            grid = backbone(inputs)  # (N, C, t, h, w)
        finally:
            backbone.return_feat_map = False
        tokens = _slots(grid.flatten(2).transpose(1, 2), grid.shape[2])
        return tokens if backbone.fc_norm is None else backbone.fc_norm(tokens)


def _slots(tokens: Tensor, slots: int) -> Tensor:
    """(N, slots * h * w, C) -> (N, slots, C), means over space."""
    return tokens.unflatten(1, (slots, -1)).mean(2)
