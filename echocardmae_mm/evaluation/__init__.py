"""Metrics, confidence intervals over patients, and comparisons of models."""

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.clip_consistency import ClipConsistencyMetric
from echocardmae_mm.evaluation.diagnosis_metric import DiagnosisMetric
from echocardmae_mm.evaluation.ef_metric import EFMetric
from echocardmae_mm.evaluation.multi_class_metric import MultiClassMetric
from echocardmae_mm.evaluation.prediction_metric import PREDICTIONS, RESULT, PredictionMetric
from echocardmae_mm.evaluation.reconstruction_metric import ReconstructionMetric
from echocardmae_mm.evaluation.seg_metric import EchoSegMetric

__all__ = [
    'PREDICTIONS',
    'RESULT',
    'ClipConsistencyMetric',
    'DiagnosisMetric',
    'EFMetric',
    'EchoSegMetric',
    'Interval',
    'MultiClassMetric',
    'PredictionMetric',
    'ReconstructionMetric',
    'bootstrap_intervals',
]
