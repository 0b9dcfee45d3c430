"""Transforms on MMAction2's results dict, to combine with stock transforms."""

from echocardmae_mm.datasets.transforms.cached_transforms import CachedTransforms
from echocardmae_mm.datasets.transforms.click_in_mask import ClickInMask
from echocardmae_mm.datasets.transforms.crop_to_sector import CropToSector
from echocardmae_mm.datasets.transforms.denoised_target import DenoisedTarget
from echocardmae_mm.datasets.transforms.find_sector import FindSector
from echocardmae_mm.datasets.transforms.load_echo_frame import LoadEchoFrame
from echocardmae_mm.datasets.transforms.load_echo_mask import LoadEchoMask
from echocardmae_mm.datasets.transforms.pack_seg_clip import PackSegClip
from echocardmae_mm.datasets.transforms.random_shift import RandomShift
from echocardmae_mm.datasets.transforms.recording_decode import RecordingDecode
from echocardmae_mm.datasets.transforms.recording_init import RecordingInit
from echocardmae_mm.datasets.transforms.resize_frames import ResizeFrames
from echocardmae_mm.datasets.transforms.sample_labelled_clip import SampleLabelledClip
from echocardmae_mm.datasets.transforms.sample_random_clips import SampleRandomClips
from echocardmae_mm.datasets.transforms.sample_traced_clip import SampleTracedClip
from echocardmae_mm.datasets.transforms.sample_uniform_clips import SampleUniformClips
from echocardmae_mm.datasets.transforms.sector_mask import SectorMask

__all__ = [
    'ClickInMask',
    'CropToSector',
    'DenoisedTarget',
    'FindSector',
    'RecordingInit',
    'RecordingDecode',
    'CachedTransforms',
    'SampleRandomClips',
    'SampleUniformClips',
    'SectorMask',
    'LoadEchoFrame',
    'LoadEchoMask',
    'PackSegClip',
    'RandomShift',
    'ResizeFrames',
    'SampleLabelledClip',
    'SampleTracedClip',
]
