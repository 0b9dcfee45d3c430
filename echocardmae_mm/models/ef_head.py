"""Predict the ejection fraction from pooled features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModule
from mmengine.structures import BaseDataElement
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

TARGETS = ('percent', 'zscore')
LOSSES = {'l1': torch.abs, 'l2': torch.square}
REWEIGHTINGS = {'none': 0.0, 'sqrt_inverse': 0.5, 'inverse': 1.0}
_BINS = 101


@MODELS.register_module()
class EFHead(BaseModule):
    """A linear layer on the pooled features, as in ``train_ef.py`` of the released code.

    The weight starts at zero and the bias at the mean EF of the training set, which
    :class:`TargetStatisticsHook` computes: the untrained head predicts that mean. The head runs in
    float32 even under autocast, because bfloat16 resolves only 0.25 % at an EF of 60 %.

    Args:
        in_channels (int): Width of the features. Defaults to 384.
        target (str): 'percent' predicts EF / 100 with a loss in per cent (the released code);
            'zscore' predicts standard deviations from the mean. Defaults to 'percent'.
        loss (str): 'l1' (the released code), or 'l2', which gives more weight to large errors, such
            as those of rare EF far from the mean. Defaults to 'l1'.
        mean (float, optional): Mean EF of the training set in per cent. Defaults to None,
            set by :class:`TargetStatisticsHook`.
        std (float, optional): Standard deviation of the training set's EF in per cent. Defaults to
            None, likewise.
        reweight (str): How to weight recordings by the rarity of their EF: 'none', or 'inverse' or
            'sqrt_inverse' of the training set's density in bins of one per cent, smoothed by
            ``smoothing``; the mean weight is 1 (label distribution smoothing: Yang et al.,
            "Delving into deep imbalanced regression", ICML 2021). Defaults to 'none'.
        smoothing (float): Standard deviation of the smoothing in per cent. Defaults to 2.
        contrast (dict, optional): An additional loss on features and EF of all clips, such as
             :class:`RankNContrastLoss`. Defaults to None.
        stop_gradient (bool): Whether the EF loss trains the linear layer only, so that
            ``contrast`` alone trains the backbone, as in CoReEcho. Defaults to False.
        init_cfg (dict, optional): Initialisation, such as a checkpoint. Defaults to None.

    Raises:
        UserError: If ``target``, ``loss`` or ``reweight`` is unknown, or ``stop_gradient`` is set
            without ``contrast``.

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import EFHead
        >>> EFHead(in_channels=384, mean=55.0)(torch.randn(2, 384)).round().tolist()  # mean EF
        [55.0, 55.0]
    """

    mean: Tensor
    std: Tensor
    weight_of_bin: Tensor

    def __init__(
        self,
        in_channels: int = 384,
        target: str = 'percent',
        loss: str = 'l1',
        mean: float | None = None,
        std: float | None = None,
        reweight: str = 'none',
        smoothing: float = 2.0,
        contrast: dict | None = None,
        stop_gradient: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        for name, value, known in (
            ('target', target, TARGETS),
            ('loss', loss, LOSSES),
            ('reweight', reweight, REWEIGHTINGS),
        ):
            if value not in known:
                raise UserError(f'EFHead: {name}={value!r} is unknown; choose one of {[*known]}')
        if stop_gradient and contrast is None:
            raise UserError('EFHead: stop_gradient=True needs contrast to train the backbone')
        self.target = target
        self.pointwise_loss = LOSSES[loss]
        self.reweight = reweight
        self.smoothing = smoothing
        self.contrast = None if contrast is None else MODELS.build(contrast)
        self.stop_gradient = stop_gradient
        self.hidden: nn.Module = nn.Identity()
        self.fc = nn.Linear(in_channels, 1)
        unknown = float('nan')
        self.register_buffer('mean', torch.tensor(unknown if mean is None else float(mean)))
        self.register_buffer('std', torch.tensor(unknown if std is None else float(std)))
        self.register_buffer('weight_of_bin', torch.ones(_BINS))
        nn.init.zeros_(self.fc.weight)
        self._start_at_mean()

    def fit_targets(self, efs: Sequence[float] | np.ndarray) -> None:
        """Set mean, standard deviation and weights from the training set.

        Keeps a mean or a standard deviation that the config sets.

        Args:
            efs (Sequence[float]): EF of each recording of the training set, in per cent.
        """
        values = np.asarray(efs, np.float64)
        if self.mean.isnan():
            self.mean.fill_(values.mean())
            self._start_at_mean()
        if self.std.isnan():
            self.std.fill_(values.std())
        bins = _bin_of(torch.from_numpy(values)).numpy()
        counts = np.bincount(bins, minlength=_BINS).astype(np.float64)
        density = gaussian_filter1d(counts, self.smoothing, mode='constant')
        weights = np.where(counts > 0, density, 1.0) ** -REWEIGHTINGS[self.reweight]
        weights /= (weights * counts).sum() / counts.sum()
        self.weight_of_bin.copy_(torch.from_numpy(np.where(counts > 0, weights, 1.0)))
        if (fit_targets := getattr(self.contrast, 'fit_targets', None)) is not None:
            fit_targets(efs)

    def forward(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Predict the ejection fraction of each clip.

        Args:
            features (Tensor | Sequence[Tensor]): Pooled features (B, C), or a map (B, C, ...) to
                average; or several, such as the pathways of SlowFast, to concatenate.

        Returns:
            Tensor: float32 of shape (B,), per cent; not clipped to 0-100.

        Raises:
            UserError: If C is not ``in_channels``.
        """
        features = pool(features)
        if features.shape[1] != self.fc.in_features:
            raise UserError(
                f'EFHead: the backbone gives {features.shape[1]} channels, expected in_channels='
                f'{self.fc.in_features}\nSet model.cls_head.in_channels={features.shape[1]}'
            )
        with torch.autocast(features.device.type, enabled=False):
            output = self.fc(self.hidden(features)).squeeze(1)
            return 100 * output if self.target == 'percent' else self.mean + self.std * output

    def loss(
        self, features: Tensor | Sequence[Tensor], data_samples: list[BaseDataElement], **_: Any
    ) -> dict[str, Tensor]:
        """Compute the loss between predicted and true EF.

        Args:
            features (Tensor | Sequence[Tensor]): (B * M, C, ...), with consecutive rows for the M
                clips of a recording.
            data_samples (list[BaseDataElement]): One per recording, with ``ef`` in per cent.

        Returns:
            dict[str, Tensor]: ``loss_ef``, in per cent or standard deviations, or their square;
            with ``contrast`` also ``loss_contrast``.

        Raises:
            UserError: If a sample has no EF, or ``target='zscore'`` has no positive standard
                deviation.
        """
        if self.target == 'zscore' and not (self.std > 0 and self.mean.isfinite()):
            raise UserError(
                f"EFHead: target='zscore' needs a finite mean and a positive std, but has "
                f'mean={float(self.mean):g} and std={float(self.std):g}: add '
                'TargetStatisticsHook, or set mean and std'
            )
        features = pool(features)
        predicted = self(features.detach() if self.stop_gradient else features)
        predicted = predicted.unflatten(0, (len(data_samples), -1))
        ef = predicted.new_tensor([ef_of(sample) for sample in data_samples]).unsqueeze(1)
        weight = self.weight_of_bin[_bin_of(ef)]
        unit = 1.0 if self.target == 'percent' else self.std
        losses = {'loss_ef': (weight * self.pointwise_loss((predicted - ef) / unit)).mean()}
        if self.contrast is not None:
            losses['loss_contrast'] = self.contrast(features, ef.expand_as(predicted).flatten())
        return losses

    def predict(
        self, features: Tensor | Sequence[Tensor], data_samples: list[BaseDataElement], **_: Any
    ) -> list[BaseDataElement]:
        """Average the prediction over the clips of each recording.

        Args:
            features (Tensor | Sequence[Tensor]): (B * M, C, ...), with consecutive rows for the M
                clips of a recording.
            data_samples (list[BaseDataElement]): One per recording.

        Returns:
            list[BaseDataElement]: The samples, with ``pred_ef`` (float, per cent) and
            ``pred_ef_clips`` (float32 (M,)).
        """
        predicted = self(features).detach().view(len(data_samples), -1)
        for sample, clips in zip(data_samples, predicted):
            sample.set_field(clips, 'pred_ef_clips')
            sample.set_field(float(clips.mean()), 'pred_ef')
        return data_samples

    def _start_at_mean(self) -> None:
        known = self.target == 'percent' and not self.mean.isnan()
        nn.init.constant_(self.fc.bias, float(self.mean) / 100 if known else 0.0)


def pool(features: Tensor | Sequence[Tensor]) -> Tensor:
    """Average features over time and place.

    Args:
        features (Tensor | Sequence[Tensor]): (B, C, ...); several are concatenated.

    Returns:
        Tensor: (B, C), float32.
    """
    if not isinstance(features, Tensor):
        return torch.cat([pool(part) for part in features], dim=1)
    return features.float().reshape(*features.shape[:2], -1).mean(dim=2)


def _bin_of(efs: Tensor) -> Tensor:
    return efs.round().long().clamp(0, _BINS - 1)


def ef_of(sample: BaseDataElement) -> float:
    """The EF of a sample in per cent.

    Raises:
        UserError: If it has none.
    """
    if 'ef' not in sample:
        raise UserError(
            "a sample has no 'ef': use a data set with EF, and add 'ef' to algorithm_keys of "
            'PackActionInputs'
        )
    return float(sample.ef)
