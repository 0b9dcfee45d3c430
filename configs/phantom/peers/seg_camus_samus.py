"""A small SAMUS on CAMUS phantoms, from clicks in the TRUE masks, in tests too."""

_base_ = 'seg_camus_samus_no_click.py'

from echocardmae_mm.recipes import demo_samus

globals().update(
    demo_samus(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/phantom/CAMUS'),
        num_classes=4,
        clicks=True,
    )
)
