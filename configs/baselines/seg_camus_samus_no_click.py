"""Segmentation of three structures on CAMUS with SAMUS, without a click: it sees no truth.

A learned token tells the structures apart.
"""

_base_ = 'seg_samus_no_click.py'

from echocardmae_mm.recipes import samus

globals().update(
    samus(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS'),
        num_classes=4,
    )
)
