"""Functions that build configs, with one geometry for the model and the pipelines.

A config calls a recipe, and below it sets what the recipe does not set::

    _base_ = '_base_/runtime_mmaction.py'

    from echocardmae_mm.recipes import pretraining

    globals().update(pretraining(img_size=224, settings=dict(alignment_head=None)))
    train_cfg = dict(max_epochs=800)

Put ``_base_`` before the import: mmengine reads a config that begins with an import in its
pure Python style.
"""

from echocardmae_mm.recipes.common import (
    EncoderSize,
    clip_preprocessor,
    demo_size,
    frame_preprocessor,
)
from echocardmae_mm.recipes.demo_peers import (
    demo_peer_ejection_fraction,
    demo_r2plus1d,
    demo_uniformer,
)
from echocardmae_mm.recipes.diagnosis import diagnosis, infarction
from echocardmae_mm.recipes.ejection_fraction import ejection_fraction
from echocardmae_mm.recipes.encoders import uniformer_small
from echocardmae_mm.recipes.pretraining import latent_targets, pretraining
from echocardmae_mm.recipes.prompted_segmentation import (
    demo_memsam,
    demo_samus,
    memsam,
    samus,
)
from echocardmae_mm.recipes.segmentation import clip_segmentation, segmentation

__all__ = [
    'EncoderSize',
    'clip_preprocessor',
    'clip_segmentation',
    'demo_memsam',
    'demo_peer_ejection_fraction',
    'demo_r2plus1d',
    'demo_samus',
    'demo_size',
    'demo_uniformer',
    'diagnosis',
    'ejection_fraction',
    'frame_preprocessor',
    'infarction',
    'latent_targets',
    'memsam',
    'pretraining',
    'samus',
    'segmentation',
    'uniformer_small',
]
