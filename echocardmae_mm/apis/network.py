"""The part of a model that runtimes compute: frames in, predictions out."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from echocardmae_mm.utils.errors import UserError

#: Name of the output of each task.
OUTPUTS = {
    'ejection_fraction': 'ef_percent',
    'segmentation': 'logits',
    'diagnosis': 'probabilities',
}


class Network(nn.Module):
    """Normalisation, encoder and head of a model, for any number of clips or frames.

    Args:
        model (BaseModel): A model of MMAction2 or MMSegmentation, or :class:`ClipSegmentor`.
        task (str): A key of :data:`OUTPUTS`.

    Raises:
        UserError: If the model's data preprocessor does more than normalise.
    """

    def __init__(self, model: BaseModel, task: str) -> None:
        super().__init__()
        processor = model.data_preprocessor
        if not getattr(processor, '_enable_normalize', False) or getattr(
            processor, 'test_cfg', None
        ):
            raise UserError(
                f'{type(processor).__name__}: expected a data preprocessor with mean and std that '
                'does not pad in tests'
            )
        self.model = model
        self.task = task
        self.swap_channels = any(
            getattr(processor, name, False) for name in ('to_rgb', 'channel_conversion')
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Predict.

        Args:
            inputs (Tensor): uint8 clips (N, 3, T, H, W) or frames (N, 3, H, W).

        Returns:
            Tensor: float32: ejection fractions in per cent (N,), probabilities (N, K), or logits
            (N, K, T, H, W) or (N, K, H, W).
        """
        processor = self.model.data_preprocessor
        inputs = inputs.to(processor.mean.device)
        if self.swap_channels:
            inputs = inputs.flip(1)
        inputs = (inputs.float() - processor.mean) / processor.std
        if self.task != 'segmentation':
            features, _ = self.model.extract_feat(inputs.unsqueeze(1), stage='neck')
            scores = self.model.cls_head(features)
            return scores.softmax(-1) if self.task == 'diagnosis' else scores
        if inputs.ndim == 5:
            return self.model(inputs.unsqueeze(1))
        size = inputs.shape[2:]
        logits = self.model.inference(inputs, [{'ori_shape': size, 'img_shape': size}])
        if logits.shape[1] > 1:
            return logits
        # One channel and a threshold, (N, 1, H, W), as logits of background and structure.
        threshold = torch.logit(torch.tensor(self.model.decode_head.threshold))
        return torch.cat([torch.zeros_like(logits), logits - threshold], dim=1)
