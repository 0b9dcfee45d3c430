"""EchoCoTr's encoder on CAMUS in our protocol (Table 2): ten folds, clips of configs/ef_camus.py.

echocardmae cross-validate configs/baselines/ef_camus_uniformer.py

Starts from the network that configs/baselines/ef_uniformer.py trained on EchoNet-Dynamic. EchoCoTr
has no code for CAMUS; its row in the paper is presumably CoReEcho's study of transfer.
"""

_base_ = 'ef_uniformer.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            _delete_=True,
            type='echocardmae_mm.CAMUSDataset',
            data_root='data/CAMUS',
            views='4CH',
            fold=0,
            num_folds=10,
            val_share=0.1,
        ),
        span='cycle',
        num_test_clips=1,
        batch_size=25,
        test_batch_size=16,
        interpolation='area',
        meta_keys=('view', 'quality'),
    )
)

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/baselines/ef_uniformer/epoch_45.pth',
            prefix='backbone.',
        )
    )
)
