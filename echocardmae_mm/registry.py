"""Registries of the package, children of mmengine's.

The scope equals the importable package name, so that ``type='echocardmae_mm.X'`` resolves from an
MMAction2, an MMSegmentation or a bare mmengine config without ``custom_imports``.
"""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry


def _child(parent: Registry, *locations: str) -> Registry:
    return Registry(
        parent.name,
        parent=parent,
        scope='echocardmae_mm',
        locations=[f'echocardmae_mm.{place}' for place in locations],
    )


DATASETS = _child(MMENGINE_DATASETS, 'datasets')
FUNCTIONS = _child(MMENGINE_FUNCTIONS, 'datasets')
TRANSFORMS = _child(MMENGINE_TRANSFORMS, 'datasets.transforms')
MODELS = _child(MMENGINE_MODELS, 'models')
METRICS = _child(MMENGINE_METRICS, 'evaluation')
LOOPS = _child(MMENGINE_LOOPS, 'engine')
DATA_SAMPLERS = _child(MMENGINE_DATA_SAMPLERS, 'engine')
OPTIM_WRAPPERS = _child(MMENGINE_OPTIM_WRAPPERS, 'engine')
HOOKS = _child(MMENGINE_HOOKS, 'engine')

__all__ = [
    'DATASETS',
    'DATA_SAMPLERS',
    'FUNCTIONS',
    'HOOKS',
    'LOOPS',
    'METRICS',
    'MODELS',
    'OPTIM_WRAPPERS',
    'TRANSFORMS',
]
