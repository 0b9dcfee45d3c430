"""Myocardial infarction on HMC-QU by five folds (Table 4).

echocardmae cross-validate configs/mi_hmcqu.py

It starts from the encoder of configs/pretrain_echo.py, as configs/ef_echonet.py does.
"""

_base_ = '_base_/runtime_mi.py'

from echocardmae_mm.recipes import infarction

globals().update(infarction())
