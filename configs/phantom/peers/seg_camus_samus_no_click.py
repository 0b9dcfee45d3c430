"""A small SAMUS on CAMUS phantoms, from scratch and without clicks: it sees no truth."""

_base_ = 'seg_samus_no_click.py'

from echocardmae_mm.recipes import demo_samus

globals().update(
    demo_samus(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/phantom/CAMUS'),
        num_classes=4,
    )
)

train_cfg = dict(max_epochs=40, val_interval=10)
