"""A small MemSAM on phantoms, from a click in the TRUE mask of the first frame, in tests too."""

_base_ = 'seg_memsam_no_click.py'

from echocardmae_mm.recipes import demo_memsam

globals().update(demo_memsam(clicks=True))
