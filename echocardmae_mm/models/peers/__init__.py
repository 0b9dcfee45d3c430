"""Parts of the networks of other papers that no host package has."""

from echocardmae_mm.models.peers.coreecho_head import CoReEchoHead
from echocardmae_mm.models.peers.deeplabv3_head import DeepLabV3Head
from echocardmae_mm.models.peers.label_distance_contrast import LabelDistanceContrastLoss
from echocardmae_mm.models.peers.multi_expert_head import MultiExpertHead

__all__ = ['CoReEchoHead', 'DeepLabV3Head', 'LabelDistanceContrastLoss', 'MultiExpertHead']
