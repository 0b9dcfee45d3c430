"""Data sets: read the index as its owners ship it, give one dict a recording; no pixel work."""

from echocardmae_mm.datasets.camus import CAMUSDataset
from echocardmae_mm.datasets.echo_video import EchoVideoDataset
from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset

__all__ = ['CAMUSDataset', 'EchoNetDynamicDataset', 'EchoVideoDataset']
