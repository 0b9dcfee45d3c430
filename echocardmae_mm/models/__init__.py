"""The pretraining model and its parts, encoders and heads for what follows it."""

from .alignment_head import AlignmentHead
from .background_decoder import BackgroundTokenDecoder
from .clip_pair_preprocessor import ClipPairPreprocessor
from .clip_segmentor import ClipSegmentor
from .dice_loss import DiceLoss
from .echocardmae import EchoCardMAE
from .ef_head import EFHead
from .frame_vit import FrameVisionTransformer
from .fused_vit import FusedVisionTransformer
from .mae_seg_head import MAESegHead
from .masked_vit import MaskedVisionTransformer
from .patch_encoder import PatchEncoder
from .rank_n_contrast import RankNContrastLoss
from .reconstruction_head import ReconstructionHead
from .timm_encoder import TimmVideoEncoder

__all__ = [
    'AlignmentHead',
    'BackgroundTokenDecoder',
    'ClipPairPreprocessor',
    'EchoCardMAE',
    'EFHead',
    'FrameVisionTransformer',
    'FusedVisionTransformer',
    'MaskedVisionTransformer',
    'PatchEncoder',
    'RankNContrastLoss',
    'ReconstructionHead',
    'TimmVideoEncoder',
    'ClipSegmentor',
    'DiceLoss',
    'MAESegHead',
]
