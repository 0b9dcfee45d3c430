"""Segmentation of three structures in sequences of CAMUS with MemSAM, from a click inside each TRUE
mask of the first frame, in tests too.

A model that sees the truth is not comparable with one that does not; see
seg_camus_memsam_no_click.py.
"""

_base_ = 'seg_camus_memsam_no_click.py'

from echocardmae_mm.recipes import memsam

globals().update(
    memsam(
        dataset=dict(
            type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS', in_sequence=True
        ),
        num_classes=4,
        clicks=True,
    )
)
