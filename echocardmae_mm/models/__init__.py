"""The pretraining model and its parts; encoders and heads for fine-tuning."""

from echocardmae_mm.models import peers
from echocardmae_mm.models.alignment_head import AlignmentHead
from echocardmae_mm.models.background_decoder import BackgroundTokenDecoder
from echocardmae_mm.models.clip_pair_preprocessor import ClipPairPreprocessor
from echocardmae_mm.models.clip_segmentor import ClipSegmentor
from echocardmae_mm.models.dice_loss import DiceLoss
from echocardmae_mm.models.echocardmae import EchoCardMAE
from echocardmae_mm.models.ef_head import EFHead
from echocardmae_mm.models.frame_vit import FrameVisionTransformer
from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.models.latent_target import LatentTarget
from echocardmae_mm.models.mae_seg_head import MAESegHead
from echocardmae_mm.models.masked_vit import MaskedVisionTransformer
from echocardmae_mm.models.patch_encoder import PatchEncoder
from echocardmae_mm.models.rank_n_contrast import RankNContrastLoss
from echocardmae_mm.models.reconstruction_head import ReconstructionHead
from echocardmae_mm.models.timm_encoder import TimmVideoEncoder

__all__ = [
    'AlignmentHead',
    'BackgroundTokenDecoder',
    'ClipPairPreprocessor',
    'EchoCardMAE',
    'EFHead',
    'FrameVisionTransformer',
    'FusedVisionTransformer',
    'LatentTarget',
    'MaskedVisionTransformer',
    'PatchEncoder',
    'RankNContrastLoss',
    'ReconstructionHead',
    'TimmVideoEncoder',
    'peers',
    'ClipSegmentor',
    'DiceLoss',
    'MAESegHead',
]
