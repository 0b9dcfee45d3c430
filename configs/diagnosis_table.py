"""Diagnosis from a table of your own recordings, each cropped to its own sector.

python tools/train.py configs/diagnosis_table.py --cfg-options ann_file=labels.csv

The table is a CSV file with the columns path and label; docs/data.md describes further columns. The
classes are its labels, in sorted order; of two classes, the second is the positive one. Pass
classes=[normal,amyloid] to set their order. A recording without a frame rate is refused, because
target_fps needs the rate; give it in a column fps. Starts from the encoder of
configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_mi.py'

from echocardmae_mm.recipes import diagnosis

globals().update(
    diagnosis(
        dataset=dict(
            type='echocardmae_mm.RecordingTableDataset',
            data_root='',
            ann_file='labels.csv',
            classes=None,
            require='label',
        ),
        target_fps=12.5,
    )
)

train_cfg = dict(val_interval=10)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
default_hooks = dict(class_weights=dict(type='echocardmae_mm.ClassWeightsHook'))
