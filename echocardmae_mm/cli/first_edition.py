"""Refuse names of the first edition, and give their replacements."""

from __future__ import annotations

from mmengine.config import Config

from echocardmae_mm.utils.config import dicts_of, type_name
from echocardmae_mm.utils.errors import UserError

TYPES = {
    'FitTargetsHook': 'TargetStatisticsHook',
    'OpenRecording': 'RecordingInit',
    'ReadFrames': 'RecordingDecode',
    'Remember': 'CachedTransforms',
    'SafeStopHook': 'GracefulStopHook',
    'SampleClipPair': 'SampleRandomClips',
    'SampleEvenClips': 'SampleUniformClips',
    'SteadyRuntimeInfoHook': 'BufferedRuntimeInfoHook',
}
SETTINGS = {
    'frozen_blocks': 'frozen_stages',
    'in_dims': 'in_channels',
    'interval': 'frame_interval',
    'learnable_pos': 'use_learnable_pos_emb',
    'masked_only': 'traced_only',
    'place': 'position',
    'resamples': 'n_resamples',
}
REMOVED = {
    'batched': 'set packed=DIR to read from a store',
    'decoder_chunks': 'set with_cp=True in the neck',
    'decode_ratio': 'the decoder predicts every masked token of the sector',
    'pad_masked': 'the preprocessor pads where sectors differ',
    'resident': 'set packed=DIR to read from a store',
}
#: Removed settings of one component, where others may have a setting of that name.
REMOVED_FROM = {
    ('EchoCardMAE', 'compile'): 'Pass --compile, or add echocardmae_mm.CompileHook to custom_hooks',
    ('MAESegHead', 'norm_eps'): "Set norm_cfg=dict(type='LN', eps=...) instead",
    ('ReconstructionHook', 'dataset'): "Delete it: the hook uses the runner's data set",
    ('ReconstructionMetric', 'mean_of'): (
        'Delete it, and add echocardmae_mm.TrainingMeanHook to custom_hooks'
    ),
}
REMOVED_TYPES = {'whole_batch': 'Delete this collate_fn: every data set reads clip by clip now'}


def refuse_old_names(config: Config) -> None:
    """Refuse a config that uses a name of the first edition, and give the name that replaced it."""
    for key, part in dicts_of(config):
        scope, _, name = type_name(part).rpartition('.')
        if scope != 'echocardmae_mm':
            continue
        if name in TYPES:
            raise UserError(f'{key}.type: {name} is now called {TYPES[name]}')
        if name in REMOVED_TYPES:
            raise UserError(f'{key}.type: {name} was removed\n{REMOVED_TYPES[name]}')
        for setting in part:
            if (name, setting) in REMOVED_FROM:
                raise UserError(f'{key}.{setting}: was removed\n{REMOVED_FROM[name, setting]}')
            if setting == 'interval' and not name.startswith('Sample'):
                continue  # OpenMMLab's own hooks have it
            if setting in SETTINGS:
                raise UserError(f'{key}.{setting}: is now called {SETTINGS[setting]}')
            if setting in REMOVED:
                raise UserError(
                    f'{key}.{setting}: was removed ({REMOVED[setting]})\nDelete it from the config'
                )
