"""View of a recording, four- or two-chamber, on CAMUS: the model behind a bundle for views.

python tools/train.py configs/view_camus.py
echocardmae publish view_camus work_dirs/view_camus/epoch_100.pth --out bundles/view

A clip is 16 frames from end-diastole to end-systole. CAMUS has no other views; to recognise them,
train on a table of your own with the labels 4CH, 2CH and other (configs/diagnosis_table.py). The
test patients are the first of ten folds. Starts from the encoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_mi.py'

from echocardmae_mm.recipes import diagnosis

globals().update(
    diagnosis(
        dataset=dict(
            type='echocardmae_mm.CAMUSViewDataset',
            data_root='data/CAMUS',
            fold=0,
            num_folds=10,
            val_share=0.1,
        ),
        span='cycle',
    )
)

train_cfg = dict(val_interval=10)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
