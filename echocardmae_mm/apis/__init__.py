"""Apply trained models to your own recordings, and de-identify them."""

from echocardmae_mm.apis.bundle import Bundle, write_bundle
from echocardmae_mm.apis.contact_sheet import contact_sheet
from echocardmae_mm.apis.deidentify import deidentify
from echocardmae_mm.apis.embedder import EchoEmbedder
from echocardmae_mm.apis.export_onnx import export_onnx
from echocardmae_mm.apis.framing import Framed, frame_recording
from echocardmae_mm.apis.inferencer import EchoInferencer
from echocardmae_mm.apis.outputs import draw_frames, write_outputs
from echocardmae_mm.apis.prediction import Flag, Prediction

__all__ = [
    'Bundle',
    'EchoEmbedder',
    'EchoInferencer',
    'Flag',
    'Framed',
    'Prediction',
    'contact_sheet',
    'deidentify',
    'draw_frames',
    'export_onnx',
    'frame_recording',
    'write_bundle',
    'write_outputs',
]
