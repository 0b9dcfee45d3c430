"""Ejection fraction on CAMUS in ten folds (Table 2).

echocardmae cross-validate configs/ef_camus.py

A clip is 16 frames from end-diastole to end-systole of the four-chamber view. The folds are
CoReEcho's: blocks of the sorted patients. A tenth of the other patients selects the checkpoint.
Starts from the encoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.CAMUSDataset',
            data_root='data/CAMUS',
            views='4CH',
            fold=0,
            num_folds=10,
            val_share=0.1,
        ),
        span='cycle',
        num_test_clips=1,
        test_batch_size=16,
        interpolation='area',
        meta_keys=('view', 'quality'),
    )
)
