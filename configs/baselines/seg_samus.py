"""Segmentation of the left ventricle with SAMUS, from a click inside the TRUE mask, in tests too.

A model that sees the truth is not comparable with one that does not; see seg_samus_no_click.py.
"""

_base_ = 'seg_samus_no_click.py'

from echocardmae_mm.recipes import samus

globals().update(samus(clicks=True))
