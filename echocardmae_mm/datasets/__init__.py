"""Data sets: read the published index files and return one dict per sample, without pixels."""

from echocardmae_mm.datasets.camus import CAMUSDataset, CAMUSViewDataset
from echocardmae_mm.datasets.camus_seg import CAMUSSegDataset
from echocardmae_mm.datasets.echo_video import EchoVideoDataset
from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_seg import EchoNetSegDataset
from echocardmae_mm.datasets.hmc_qu import HMCQUDataset
from echocardmae_mm.datasets.recording_table_dataset import RecordingTableDataset
from echocardmae_mm.datasets.stack_clips import stack_clips

__all__ = [
    'CAMUSDataset',
    'CAMUSSegDataset',
    'CAMUSViewDataset',
    'EchoNetDynamicDataset',
    'EchoNetSegDataset',
    'EchoVideoDataset',
    'HMCQUDataset',
    'RecordingTableDataset',
    'stack_clips',
]
