from .bootstrap import Interval, bootstrap_interval
from .reconstruction_metric import ReconstructionMetric

__all__ = ['Interval', 'ReconstructionMetric', 'bootstrap_interval']
