"""Pretraining on a folder of recordings of any size and format, each with its own sector.

python tools/train.py configs/pretrain_folder.py --cfg-options data_root=DIR
python tools/train.py configs/pretrain_folder.py --cfg-options ann_file=LIST

A recording without a frame rate (.mhd, most .nii.gz) is refused, because target_fps needs the rate.
For such recordings, write a config that calls pretraining with frame_interval=4 instead.
"""

_base_ = '_base_/runtime_pretrain.py'

from echocardmae_mm.recipes import pretraining

globals().update(
    pretraining(
        dataset=dict(type='echocardmae_mm.EchoVideoDataset', data_root='', ann_file=''),
        target_fps=12.5,
        own_sector=True,
    )
)
