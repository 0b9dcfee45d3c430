"""The left ventricle in whole clips: the pretrained video encoder sees 16 frames and labels each.

python tools/train.py configs/seg_echonet_video.py

It learns from the traced end-diastole and end-systole alone, and starts as configs/seg_echonet.py.
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import clip_segmentation

globals().update(clip_segmentation())
