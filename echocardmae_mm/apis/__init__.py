"""What a trained model does with a recording of one's own."""

from echocardmae_mm.apis.segment_recording import Segmentation, load_model, segment_recording

__all__ = ['Segmentation', 'load_model', 'segment_recording']
