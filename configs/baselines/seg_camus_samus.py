"""Segmentation of three structures on CAMUS with SAMUS, from a click inside each TRUE mask.

A model that sees the truth is not comparable with one that does not; see
seg_camus_samus_no_click.py.
"""

_base_ = 'seg_samus_no_click.py'

from echocardmae_mm.recipes import samus

globals().update(
    samus(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS'),
        num_classes=4,
        clicks=True,
    )
)
