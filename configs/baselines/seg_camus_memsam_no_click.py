"""Segmentation of three structures in sequences of CAMUS with MemSAM, without a click: it sees no
truth.

A learned token tells the structures apart, and each has its own memory.
"""

_base_ = 'seg_memsam_no_click.py'

from echocardmae_mm.recipes import memsam

globals().update(
    memsam(
        dataset=dict(
            type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS', in_sequence=True
        ),
        num_classes=4,
    )
)

# MemSAM trains for 100 epochs on CAMUS.
train_cfg = dict(max_epochs=50)
