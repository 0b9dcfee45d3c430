"""Segmentation of the left ventricle in clips with MemSAM, from a click inside the TRUE mask of
the first frame, in tests too.

A model that sees the truth is not comparable with one that does not; see seg_memsam_no_click.py.
"""

_base_ = 'seg_memsam_no_click.py'

from echocardmae_mm.recipes import memsam

globals().update(memsam(clicks=True))
