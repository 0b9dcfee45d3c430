"""Segmentation of the left ventricle in clips: the video encoder labels each of 16 frames.

python tools/train.py configs/seg_echonet_video.py

Only the traced frames, end-diastole and end-systole, contribute to the loss. Starts from the
encoder and decoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import clip_segmentation

globals().update(clip_segmentation())
