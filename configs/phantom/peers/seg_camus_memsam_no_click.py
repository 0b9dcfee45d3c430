"""A small MemSAM on CAMUS phantoms, from scratch and without clicks: it sees no truth."""

_base_ = 'seg_memsam_no_click.py'

from echocardmae_mm.recipes import demo_memsam

globals().update(
    demo_memsam(
        dataset=dict(
            type='echocardmae_mm.CAMUSSegDataset', data_root='data/phantom/CAMUS', in_sequence=True
        ),
        num_classes=4,
    )
)

train_cfg = dict(max_epochs=16, val_interval=4)
