"""The part of a model that runtimes compute: frames in, predictions and features out."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from mmseg.models import EncoderDecoder
from torch import Tensor, nn

from echocardmae_mm.models.echocardmae import EchoCardMAE
from echocardmae_mm.models.ef_head import pool
from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.utils.errors import UserError

FEATURES = 'features'
#: Name of the output of each task; another output are the features.
OUTPUTS = {
    'ejection_fraction': 'ef_percent',
    'segmentation': 'logits',
    'diagnosis': 'probabilities',
    'view': 'probabilities',
    'features': FEATURES,
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
        # One pass of the encoder over whole frames, in neither windows nor stages.
        self.is_whole = (
            type(model) is EncoderDecoder and model.test_cfg.get('mode', 'whole') == 'whole'
        )
        backbone = model.backbone
        if task == 'tokens' and not (
            self.is_pretraining or isinstance(backbone, FusedVisionTransformer)
        ):
            raise UserError(f'{type(backbone).__name__} has no tokens, only pooled features')

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Predict.

        Args:
            inputs (Tensor): uint8 clips (N, 3, T, H, W) or frames (N, 3, H, W).

        Returns:
            dict[str, Tensor]: float32, by :data:`OUTPUTS`: ejection fractions in per cent (N,),
            probabilities (N, K), logits (N, K, T, H, W) or (N, K, H, W), or the mean tokens of
            each time slot (N, T / tubelet size, C); and 'features', the encoder's output averaged
            over time and place, (N, C), where the model gives it.
        """
        inputs = inputs.to(next(self.model.parameters()).device)
        if self.is_pretraining:
            tokens = self.model.extract_feat(inputs)  # (N, slots * h * w, C)
            slots = inputs.shape[2] // self.model.tubelet_size
            outputs = {} if self.task == 'features' else {'tokens': _slots(tokens, slots)}
            return {**outputs, FEATURES: tokens.mean(1)}
        inputs = self._normalise(inputs)
        if self.task == 'segmentation':
            return self._segment(inputs)
        if self.task == 'tokens':
            return self._tokens(inputs)
        features, _ = self.model.extract_feat(inputs.unsqueeze(1), stage='neck')
        if self.task == 'features':
            return {FEATURES: pool(features)}
        scores = self.model.cls_head(features)
        if self.task != 'ejection_fraction':
            scores = scores.softmax(-1)
        return {OUTPUTS[self.task]: scores, FEATURES: pool(features)}

    def _normalise(self, inputs: Tensor) -> Tensor:
        processor = self.model.data_preprocessor
        if self.swap_channels:
            inputs = inputs.flip(1)
        return (inputs.float() - processor.mean) / processor.std

    def _segment(self, inputs: Tensor) -> dict[str, Tensor]:
        if inputs.ndim == 5:
            features = self.model.backbone(inputs)
            return {'logits': self.model.decode_head(features), FEATURES: pool(features)}
        size = inputs.shape[2:]
        meta = [{'ori_shape': size, 'img_shape': size}]
        if not self.is_whole:
            return {'logits': self._two_logits(self.model.inference(inputs, meta))}
        features = self.model.extract_feat(inputs)
        logits = self.model.decode_head.predict(features, meta, self.model.test_cfg)
        return {'logits': self._two_logits(logits), FEATURES: pool(features)}

    def _two_logits(self, logits: Tensor) -> Tensor:
        if logits.shape[1] > 1:
            return logits
        # One channel and a threshold, (N, 1, H, W), as logits of background and structure.
        threshold = torch.logit(torch.tensor(self.model.decode_head.threshold))
        return torch.cat([torch.zeros_like(logits), logits - threshold], dim=1)

    def _tokens(self, inputs: Tensor) -> dict[str, Tensor]:
        backbone = self.model.backbone
        backbone.return_feat_map = True
        try:
            grid = backbone(inputs)  # (N, C, t, h, w)
        finally:
            backbone.return_feat_map = False
        tokens = _slots(grid.flatten(2).transpose(1, 2), grid.shape[2])
        if backbone.fc_norm is None:
            return {'tokens': tokens}
        return {'tokens': backbone.fc_norm(tokens), FEATURES: backbone.fc_norm(tokens.mean(1))}


def _slots(tokens: Tensor, slots: int) -> Tensor:
    """(N, slots * h * w, C) -> (N, slots, C), means over space."""
    return tokens.unflatten(1, (slots, -1)).mean(2)
