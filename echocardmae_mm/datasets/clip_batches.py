"""Clips of a whole batch read from a store at once, the pixel work left to the device."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmaction.datasets.transforms import FormatShape, PackActionInputs, Resize
from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.utils.data import get_worker_info

from echocardmae_mm.datasets.clip_batch import ClipBatch, ReadBatch
from echocardmae_mm.datasets.recordings import PackedStore, name_in_store
from echocardmae_mm.datasets.resident_frames import ResidentFrames
from echocardmae_mm.datasets.sized_frames import SizedFrames
from echocardmae_mm.datasets.transforms import (
    RecordingDecode,
    RecordingInit,
    SampleRandomClips,
    SampleUniformClips,
)
from echocardmae_mm.datasets.transforms.clip_sampler import ClipSampler
from echocardmae_mm.utils.counter_rng import RngKey, rng_key
from echocardmae_mm.utils.errors import UserError

RESIDENT = ('', 'device')
#: One that is read, three that :func:`read_ahead` holds, one that the model works on.
_BUFFERS = 5


class ChosenClips(NamedTuple):
    """The frames of one sample, not read yet.

    Args:
        key (RngKey): Whose draws the sample's are.
        name (str): The recording's name in the store.
        frame_inds (np.ndarray): int64 of shape (M, T); -1 stands for a black frame.
        padded_frames (int): How many frames the recording was too short for.
        meta (dict): What the pipeline's ``PackActionInputs`` hands on of it.
    """

    key: RngKey
    name: str
    frame_inds: np.ndarray
    padded_frames: int
    meta: dict[str, Any]


class ClipBatches:
    """Reads what a pretraining pipeline begins with, for a batch, in two steps: choose, then read.

    The pipeline is ``RecordingInit``, a sampler of clips, ``RecordingDecode``, ``Resize`` (done while
    reading, for recordings of another size), ``FormatShape``, transforms with a batch form such as
    ``DenoisedTarget`` and ``SectorMask``, and ``PackActionInputs``. Draws and pixels are those of
    the pipeline.

    Args:
        data_info (Callable): Gives what the data set lists of a sample, by its index.
        transforms (Sequence): The transforms of the pipeline.
        store (PackedStore): Where frames are read from.
        names (Iterable[str]): The recordings of the data set, by their names in the store.
        data_root (str): The folder that was packed.
        resident (str): '' or 'device', which holds all frames. Defaults to ''.

    Raises:
        UserError: If a transform has no batch form, or as :class:`SizedFrames`.
    """

    def __init__(
        self,
        data_info: Callable[[int], dict[str, Any]],
        transforms: Sequence[Any],
        store: PackedStore,
        names: Iterable[str],
        data_root: str,
        resident: str = '',
    ) -> None:
        if resident not in RESIDENT:
            raise UserError(f'resident={resident!r} is unknown; choose one of {RESIDENT}')
        self.data_info = data_info
        self.data_root = data_root
        parts = _parts(transforms)
        self.opener, self.sampler = parts.opener, parts.sampler
        self.left_to_do, self.meta_keys = parts.left_to_do, parts.meta_keys
        self.frames = SizedFrames(store, names, parts.resize)
        self.resident = ResidentFrames(self.frames) if resident else None
        self._opened: dict[int, dict[str, Any]] = {}
        self._buffers: list[np.ndarray] = []

    def choose(self, index: int) -> ChosenClips:
        """Choose the clips of a sample; nothing is read.

        Args:
            index (int): Its index, an :class:`~echocardmae_mm.utils.counter_rng.EpochIndex` that knows the
                epoch.

        Returns:
            ChosenClips: Its frames.

        Raises:
            RecordingError: If the recording could not be packed, or holds no clip.
        """
        if int(index) not in self._opened:
            data_info = self.data_info(index)
            name = name_in_store(data_info['filename'], self.data_root)
            packed = {'packed': (self.frames.store, name)}
            self._opened[int(index)] = self.opener.transform({**data_info, **packed})
        opened = self._opened[int(index)]
        size = {'img_shape': self.frames.frame[:2]}
        results = self.sampler.transform({**opened, **size, 'sample_idx': index})
        return ChosenClips(
            rng_key(results),
            results['packed'][1],
            results['frame_inds'].reshape(results['num_clips'], -1),
            results['padded_frames'],
            {key: results[key] for key in self.meta_keys if key in results},
        )

    def read(self, chosen: Sequence[ChosenClips]) -> dict[str, Any]:
        """Read the clips of a batch.

        Args:
            chosen (Sequence[ChosenClips]): Its samples.

        Returns:
            dict: ``inputs``, a :class:`ClipBatch`, and ``data_samples``.
        """
        if self.resident is not None and get_worker_info() is not None:
            raise UserError(
                "resident='device': the frames stay in the process that trains; set num_workers=0 "
                'and persistent_workers=False in the dataloader'
            )
        places = np.stack([clips.frame_inds for clips in chosen], axis=1)
        keys = torch.tensor([clips.key for clips in chosen])
        if self.resident is None:
            batch = ClipBatch(self._read(chosen, places), keys, self.left_to_do)
        else:
            first = np.array([self.resident.first[clips.name] for clips in chosen])[:, None]
            rows = torch.from_numpy(np.where(places < 0, -1, places + first))
            batch = ClipBatch(rows, keys, self.left_to_do, self.resident)
        return ReadBatch(inputs=batch, data_samples=[_data_sample(clips.meta) for clips in chosen])

    def _read(self, chosen: Sequence[ChosenClips], places: np.ndarray) -> Tensor:
        clips, pixels = self._buffer((*places.shape, *self.frames.frame))
        for video, sample in enumerate(chosen):
            for clip, indices in enumerate(sample.frame_inds):
                self.frames.read(sample.name, indices, pixels[clip, video])
        return clips

    def _buffer(self, shape: tuple[int, ...]) -> tuple[Tensor, np.ndarray]:
        """Memory for a batch: pinned where a GPU waits for it, else that of a batch let go of."""
        if torch.cuda.is_available() and get_worker_info() is None:
            pinned = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
            return pinned, pinned.numpy()
        for pixels, count in zip(self._buffers, _references(self._buffers)):
            if pixels.shape == shape and count == _FREE:
                return torch.from_numpy(pixels), pixels
        pixels = np.empty(shape, np.uint8)
        self._buffers = [*self._buffers[1 - _BUFFERS :], pixels]
        return torch.from_numpy(pixels), pixels

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_buffers': []}


def _data_sample(meta: dict[str, Any]) -> ActionDataSample:
    sample = ActionDataSample()
    for name, value in meta.items():
        sample.set_field(value, name, field_type='metainfo')
    return sample


def _references(arrays: list[np.ndarray]) -> list[int]:
    return [sys.getrefcount(array) for array in arrays]


#: What is counted of an array that nothing holds but a list.
_FREE = _references([np.empty(0)])[0]


class _Parts(NamedTuple):
    """A pretraining pipeline by what becomes of it."""

    opener: RecordingInit
    sampler: ClipSampler
    resize: Any | None
    left_to_do: list[Any]
    meta_keys: tuple[str, ...]


def _parts(transforms: Sequence[Any]) -> _Parts:
    opener, sampler, reader = [*transforms, None, None, None][:3]
    # Of a subclass it is not known what it changes, nor what it draws from.
    if not (
        type(opener) is RecordingInit
        and type(sampler) in (SampleRandomClips, SampleUniformClips)
        and type(reader) is RecordingDecode
    ):
        raise UserError(
            'batched=True: the pipeline must begin with RecordingInit, SampleRandomClips, RecordingDecode'
        )
    resize: Any | None = None
    left_to_do: list[Any] = []
    meta_keys: tuple[str, ...] = ()
    for transform in transforms[3:]:
        if type(transform) is Resize and not (transform.keep_ratio or left_to_do or resize):
            resize = transform
        elif type(transform) is PackActionInputs:
            meta_keys = tuple(transform.meta_keys)
        elif getattr(transform, 'has_batch_form', False):
            left_to_do.append(transform)
        elif type(transform) is not FormatShape:
            raise UserError(
                f'batched=True: {transform} has no form for a whole batch\nLeave batched out of '
                'the data set, or this transform out of its pipeline'
            )
    if not left_to_do:
        raise UserError(
            'batched=True is for pretraining: the pipeline has neither DenoisedTarget nor '
            'SectorMask\nLeave batched out of the data set'
        )
    return _Parts(opener, sampler, resize, left_to_do, meta_keys)
