"""Apply trained models to your own recordings."""

from echocardmae_mm.apis.bundle import Bundle, write_bundle
from echocardmae_mm.apis.framing import Framed, frame_recording
from echocardmae_mm.apis.inferencer import EchoInferencer
from echocardmae_mm.apis.prediction import Flag, Prediction

__all__ = [
    'Bundle',
    'EchoInferencer',
    'Flag',
    'Framed',
    'Prediction',
    'frame_recording',
    'write_bundle',
]
