"""Data sets: read the index as its owners ship it, give one dict a sample; no pixel work."""

from echocardmae_mm.datasets.camus import CAMUSDataset
from echocardmae_mm.datasets.camus_seg import CAMUSSegDataset
from echocardmae_mm.datasets.echo_video import EchoVideoDataset
from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_seg import EchoNetSegDataset
from echocardmae_mm.datasets.hmc_qu import HMCQUDataset

__all__ = [
    'CAMUSDataset',
    'CAMUSSegDataset',
    'EchoNetDynamicDataset',
    'EchoNetSegDataset',
    'EchoVideoDataset',
    'HMCQUDataset',
]
