"""Transforms on MMAction2's results dict; they mix with stock transforms."""

from echocardmae_mm.datasets.transforms.crop_to_sector import CropToSector
from echocardmae_mm.datasets.transforms.denoised_target import DenoisedTarget
from echocardmae_mm.datasets.transforms.load_echo_frame import LoadEchoFrame
from echocardmae_mm.datasets.transforms.load_echo_mask import LoadEchoMask
from echocardmae_mm.datasets.transforms.open_recording import OpenRecording
from echocardmae_mm.datasets.transforms.pack_seg_clip import PackSegClip
from echocardmae_mm.datasets.transforms.random_shift import RandomShift
from echocardmae_mm.datasets.transforms.read_frames import ReadFrames
from echocardmae_mm.datasets.transforms.remember import Remember
from echocardmae_mm.datasets.transforms.sample_clip_pair import SampleClipPair
from echocardmae_mm.datasets.transforms.sample_even_clips import SampleEvenClips
from echocardmae_mm.datasets.transforms.sample_labelled_clip import SampleLabelledClip
from echocardmae_mm.datasets.transforms.sector_mask import SectorMask

__all__ = [
    'CropToSector',
    'DenoisedTarget',
    'OpenRecording',
    'ReadFrames',
    'Remember',
    'SampleClipPair',
    'SampleEvenClips',
    'SectorMask',
    'LoadEchoFrame',
    'LoadEchoMask',
    'PackSegClip',
    'RandomShift',
    'SampleLabelledClip',
]
