"""Myocardial infarction on HMC-QU by five folds (Table 4).

python tools/cross_validate.py configs/mi_hmcqu.py

It starts from the encoder of configs/pretrain_echo.py, as configs/ef_echonet.py.
"""

_base_ = [
    '_base_/models/mi_vit_small.py',
    '_base_/datasets/hmcqu_mi.py',
    '_base_/runtime_mi.py',
]
