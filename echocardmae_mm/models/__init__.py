"""The pretraining model and its parts."""

from .alignment_head import AlignmentHead
from .background_decoder import BackgroundTokenDecoder
from .clip_pair_preprocessor import ClipPairPreprocessor
from .echocardmae import EchoCardMAE
from .frame_vit import FrameVisionTransformer
from .masked_vit import MaskedVisionTransformer
from .reconstruction_head import ReconstructionHead
from .timm_encoder import TimmVideoEncoder

__all__ = [
    'AlignmentHead',
    'BackgroundTokenDecoder',
    'ClipPairPreprocessor',
    'EchoCardMAE',
    'FrameVisionTransformer',
    'MaskedVisionTransformer',
    'ReconstructionHead',
    'TimmVideoEncoder',
]
