"""Refuse names of the first edition, and give their replacements."""

from __future__ import annotations

from mmengine.config import Config

from echocardmae_mm.utils.config import dicts_of
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
    'resamples': 'n_resamples',
}
REMOVED = {
    'batched': 'set packed=DIR to read from a store',
    'decoder_chunks': 'set with_cp=True in the neck',
    'decode_ratio': 'the decoder predicts every masked token of the sector',
    'pad_masked': 'the preprocessor pads where sectors differ',
    'resident': 'set packed=DIR to read from a store',
}


def refuse_old_names(config: Config) -> None:
    """Refuse a config that uses a name of the first edition.

    Args:
        config (Config): Any config.

    Raises:
        UserError: Naming the setting and the name that replaced it.
    """
    for key, part in dicts_of(config):
        scope, _, name = str(part.get('type', '')).rpartition('.')
        if scope != 'echocardmae_mm':
            continue
        if name in TYPES:
            raise UserError(f'{key}.type: {name} is now called {TYPES[name]}')
        for setting in part:
            if setting == 'interval' and not name.startswith('Sample'):
                continue  # OpenMMLab's own hooks have it
            if setting in SETTINGS:
                raise UserError(f'{key}.{setting}: is now called {SETTINGS[setting]}')
            if setting in REMOVED:
                raise UserError(
                    f'{key}.{setting}: was removed ({REMOVED[setting]})\nDelete it from the config'
                )
