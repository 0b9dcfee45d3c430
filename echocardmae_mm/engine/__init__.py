"""Training loop, sampler, hooks and checkpoint files: exact resume, safe stop."""

from .atomic_backend import AtomicBackend
from .cpu_amp_optim_wrapper import CPUAmpOptimWrapper
from .epoch_sampler import EpochSampler
from .provenance_hook import ProvenanceHook
from .reseed_hook import ReseedHook
from .resumable_train_loop import ResumableTrainLoop
from .safe_stop_hook import SafeStopHook
from .skipped_videos_hook import SkippedVideosHook

__all__ = [
    'AtomicBackend',
    'CPUAmpOptimWrapper',
    'EpochSampler',
    'ProvenanceHook',
    'ReseedHook',
    'ResumableTrainLoop',
    'SafeStopHook',
    'SkippedVideosHook',
]
