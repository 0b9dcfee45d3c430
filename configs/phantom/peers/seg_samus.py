"""A small SAMUS on phantoms, from a click in the TRUE mask, in tests too."""

_base_ = 'seg_samus_no_click.py'

from echocardmae_mm.recipes import demo_samus

globals().update(demo_samus(clicks=True))
