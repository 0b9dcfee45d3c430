"""Readers of recordings, one module per container; they decode only the requested frames."""

from echocardmae_mm.datasets.recordings.array import ArrayRecording
from echocardmae_mm.datasets.recordings.content_hash import content_hash
from echocardmae_mm.datasets.recordings.formats import looks_like_recording
from echocardmae_mm.datasets.recordings.labels import read_labels
from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.datasets.recordings.packed import PackedStore, name_in_store
from echocardmae_mm.datasets.recordings.recording import Recording

__all__ = [
    'ArrayRecording',
    'PackedStore',
    'Recording',
    'content_hash',
    'looks_like_recording',
    'name_in_store',
    'open_recording',
    'read_labels',
]
