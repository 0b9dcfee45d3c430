"""Apply a trained model to your own recordings, and de-identify them."""

from echocardmae_mm.apis.contact_sheet import contact_sheet
from echocardmae_mm.apis.deidentify import deidentify
from echocardmae_mm.apis.segment_recording import (
    CROPS,
    Segmentation,
    load_model,
    segment_recording,
)

__all__ = [
    'CROPS',
    'Segmentation',
    'contact_sheet',
    'deidentify',
    'load_model',
    'segment_recording',
]
