"""Ejection fraction from a table of your own recordings, each cropped to its own sector.

python tools/train.py configs/ef_table.py --cfg-options ann_file=labels.csv

The table is a CSV file with the columns path and ef; docs/data.md describes further columns. A
recording without a frame rate is refused, because target_fps needs the rate; give it in a column
fps. Starts from the encoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.RecordingTableDataset',
            data_root='',
            ann_file='labels.csv',
            require='ef',
        ),
        target_fps=12.5,
        own_sector=True,
        meta_keys=('view',),
    )
)
