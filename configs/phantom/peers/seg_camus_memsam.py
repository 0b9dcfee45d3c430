"""A small MemSAM on CAMUS phantoms, from clicks in the TRUE masks, in tests too."""

_base_ = 'seg_camus_memsam_no_click.py'

from echocardmae_mm.recipes import demo_memsam

globals().update(
    demo_memsam(
        dataset=dict(
            type='echocardmae_mm.CAMUSSegDataset', data_root='data/phantom/CAMUS', in_sequence=True
        ),
        num_classes=4,
        clicks=True,
    )
)
