"""Myocardial infarction on HMC-QU in five folds (Table 4).

echocardmae cross-validate configs/mi_hmcqu.py

Starts from the encoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_mi.py'

from echocardmae_mm.recipes import infarction

globals().update(infarction())
