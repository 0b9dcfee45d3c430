"""Parts of the networks of other papers that no host package has."""

from echocardmae_mm.models.peers.coreecho_head import CoReEchoHead
from echocardmae_mm.models.peers.deeplabv3_head import DeepLabV3Head

__all__ = ['CoReEchoHead', 'DeepLabV3Head']
