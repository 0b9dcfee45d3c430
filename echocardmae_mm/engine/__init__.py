"""Training loop, sampler, hooks and checkpoint checks for exactly resumable training."""

from echocardmae_mm.engine.brief_runner import BriefRunner
from echocardmae_mm.engine.buffered_runtime_info_hook import BufferedRuntimeInfoHook
from echocardmae_mm.engine.checkpoint_compat import require_fit, require_same_classes
from echocardmae_mm.engine.class_weights_hook import ClassWeightsHook
from echocardmae_mm.engine.compile_hook import CompileHook
from echocardmae_mm.engine.cpu_amp_optim_wrapper import CPUAmpOptimWrapper
from echocardmae_mm.engine.epoch_sampler import EpochSampler
from echocardmae_mm.engine.finite_loss_hook import FiniteLossHook
from echocardmae_mm.engine.frozen_backbone_hook import FrozenBackboneHook
from echocardmae_mm.engine.graceful_stop_hook import GracefulStopHook
from echocardmae_mm.engine.leakage import (
    Leakage,
    check_leakage,
    find_leakage,
    recordings_among,
)
from echocardmae_mm.engine.provenance import ProvenanceHook, read_provenance
from echocardmae_mm.engine.reconstruction_hook import ReconstructionHook, TrainingMeanHook
from echocardmae_mm.engine.reseed_hook import ReseedHook
from echocardmae_mm.engine.result_files import PredictionsHook, enable_plots, write_test_results
from echocardmae_mm.engine.resumable_early_stopping_hook import ResumableEarlyStoppingHook
from echocardmae_mm.engine.resumable_train_loop import ResumableTrainLoop
from echocardmae_mm.engine.segmentation_hook import SegmentationHook
from echocardmae_mm.engine.skipped_videos_hook import SkippedVideosHook
from echocardmae_mm.engine.skipping_val_loop import SkippingValLoop
from echocardmae_mm.engine.target_statistics_hook import TargetStatisticsHook
from echocardmae_mm.engine.training_curves_hook import TrainingCurvesHook
from echocardmae_mm.engine.unwrap import unwrap_datasets
from echocardmae_mm.engine.validation_check_hook import ValidationCheckHook
from echocardmae_mm.utils.atomic_backend import AtomicBackend

__all__ = [
    'AtomicBackend',
    'BriefRunner',
    'BufferedRuntimeInfoHook',
    'CPUAmpOptimWrapper',
    'ClassWeightsHook',
    'CompileHook',
    'EpochSampler',
    'FiniteLossHook',
    'FrozenBackboneHook',
    'GracefulStopHook',
    'Leakage',
    'PredictionsHook',
    'ProvenanceHook',
    'ReconstructionHook',
    'ReseedHook',
    'ResumableEarlyStoppingHook',
    'ResumableTrainLoop',
    'SegmentationHook',
    'SkippedVideosHook',
    'SkippingValLoop',
    'TargetStatisticsHook',
    'TrainingCurvesHook',
    'TrainingMeanHook',
    'ValidationCheckHook',
    'check_leakage',
    'enable_plots',
    'find_leakage',
    'read_provenance',
    'recordings_among',
    'require_fit',
    'require_same_classes',
    'unwrap_datasets',
    'write_test_results',
]
