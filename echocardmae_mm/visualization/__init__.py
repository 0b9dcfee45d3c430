"""Pictures and curves of a training, and hooks that draw them."""

from .predictions_hook import PredictionsHook
from .reconstruction_hook import ReconstructionHook
from .reconstruction_picture import reconstruction_picture
from .segmentation_hook import SegmentationHook
from .training_curves import TrainingCurvesHook, read_scalars, training_curves

__all__ = [
    'PredictionsHook',
    'ReconstructionHook',
    'SegmentationHook',
    'TrainingCurvesHook',
    'read_scalars',
    'reconstruction_picture',
    'training_curves',
]
