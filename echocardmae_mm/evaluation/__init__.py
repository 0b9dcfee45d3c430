"""Metrics, their intervals over patients, and comparisons of models."""

from .bootstrap import Interval, bootstrap_intervals
from .clip_consistency import ClipConsistencyMetric
from .diagnosis_metric import DiagnosisMetric
from .ef_metric import EFMetric
from .prediction_metric import PREDICTIONS, RESULT, PredictionMetric
from .reconstruction_metric import ReconstructionMetric
from .seg_metric import EchoSegMetric

__all__ = [
    'ClipConsistencyMetric',
    'PREDICTIONS',
    'RESULT',
    'DiagnosisMetric',
    'EFMetric',
    'EchoSegMetric',
    'Interval',
    'PredictionMetric',
    'ReconstructionMetric',
    'bootstrap_intervals',
]
