"""Ejection fraction on CAMUS by ten folds (Table 2).

python tools/cross_validate.py configs/ef_camus.py

It starts from the encoder of configs/pretrain_echo.py, as configs/ef_echonet.py.
"""

_base_ = [
    '_base_/models/ef_vit_small.py',
    '_base_/datasets/camus_ef.py',
    '_base_/runtime_ef.py',
]
