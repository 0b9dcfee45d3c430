"""Parts of the networks of other papers that no host package has."""

from echocardmae_mm.models.peers.cardiacnet_encoder import CardiacNetEncoder
from echocardmae_mm.models.peers.coreecho_head import CoReEchoHead
from echocardmae_mm.models.peers.deeplabv3_head import DeepLabV3Head
from echocardmae_mm.models.peers.label_distance_contrast import LabelDistanceContrastLoss
from echocardmae_mm.models.peers.memory_segmentor import MemorySegmentor
from echocardmae_mm.models.peers.multi_expert_head import MultiExpertHead
from echocardmae_mm.models.peers.prompted_segmentor import PromptedSegmentor
from echocardmae_mm.models.peers.sam_mask_decoder import SAMMaskDecoder
from echocardmae_mm.models.peers.samus_encoder import SAMUSEncoder
from echocardmae_mm.models.peers.space_time_memory import SpaceTimeMemory

__all__ = [
    'CardiacNetEncoder',
    'CoReEchoHead',
    'DeepLabV3Head',
    'LabelDistanceContrastLoss',
    'MemorySegmentor',
    'MultiExpertHead',
    'PromptedSegmentor',
    'SAMMaskDecoder',
    'SAMUSEncoder',
    'SpaceTimeMemory',
]
