"""Training loop, sampler, hooks and checkpoint files: exact resume, safe stop."""

from .atomic_backend import AtomicBackend
from .checkpoint_fit import require_fit
from .config_settings import as_cfg_options, overrides, settings_of
from .cpu_amp_optim_wrapper import CPUAmpOptimWrapper
from .epoch_sampler import EpochSampler
from .fit_targets_hook import FitTargetsHook
from .innermost_datasets import innermost_datasets
from .provenance import Overlap, git_commit, read_provenance, refuse_overlap
from .provenance_hook import ProvenanceHook
from .reseed_hook import ReseedHook
from .resumable_early_stopping_hook import ResumableEarlyStoppingHook
from .resumable_train_loop import ResumableTrainLoop
from .safe_stop_hook import SafeStopHook
from .skipped_videos_hook import SkippedVideosHook
from .steady_runtime_info_hook import SteadyRuntimeInfoHook
from .worker_signals import let_workers_outlive_signals

__all__ = [
    'AtomicBackend',
    'CPUAmpOptimWrapper',
    'EpochSampler',
    'FitTargetsHook',
    'Overlap',
    'ProvenanceHook',
    'ReseedHook',
    'ResumableEarlyStoppingHook',
    'ResumableTrainLoop',
    'SafeStopHook',
    'SkippedVideosHook',
    'SteadyRuntimeInfoHook',
    'as_cfg_options',
    'git_commit',
    'innermost_datasets',
    'let_workers_outlive_signals',
    'overrides',
    'read_provenance',
    'refuse_overlap',
    'require_fit',
    'settings_of',
]
