"""Apply a trained model to your own recordings."""

from echocardmae_mm.apis.segment_recording import (
    CROPS,
    Segmentation,
    load_model,
    segment_recording,
)

__all__ = ['CROPS', 'Segmentation', 'load_model', 'segment_recording']
