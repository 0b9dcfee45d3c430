from .bootstrap import Interval, bootstrap_intervals
from .clip_consistency import ClipConsistencyMetric
from .ef_metric import EFMetric
from .prediction_metric import PredictionMetric
from .reconstruction_metric import ReconstructionMetric

__all__ = [
    'ClipConsistencyMetric',
    'EFMetric',
    'Interval',
    'PredictionMetric',
    'ReconstructionMetric',
    'bootstrap_intervals',
]
