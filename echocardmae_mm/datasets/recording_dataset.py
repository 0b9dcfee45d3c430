"""What all data sets of recordings have in common, whatever list names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from echocardmae_mm.datasets.recordings import (
    PackedStore,
    content_hash,
    name_in_store,
)
from echocardmae_mm.datasets.seeded_generators import seeded_generators
from echocardmae_mm.datasets.transforms.recording_init import RecordingInit
from echocardmae_mm.utils.counter_rng import EpochIndex, RngStream, random_bits, rng_key
from echocardmae_mm.utils.errors import RecordingError, UserError

_MAX_REPLACEMENTS = 100


class RecordingDataset(BaseDataset):
    """Recordings by a list that a subclass reads in ``load_data_list``.

    A recording that cannot be used is replaced in training by another one, which is a pure function
    of seed, epoch and video and no member of the batch; in testing it ends the run.

    Attributes:
        skipped (torch.Tensor): uint8 (len(self),) in shared memory; 1 where a recording could not
            be used, whichever worker found out.
        padded (torch.Tensor): uint8 (len(self),) in shared memory; 1 where a recording was shorter
            than a clip.
        report (dict[str, int]): What was counted while reading the index.

    Args:
        data_root (str): The data set's folder. Defaults to ''.
        ann_file (str): Its list, where it has one of that name. Defaults to ''.
        pipeline (Sequence[dict]): Transforms. Defaults to ().
        packed (str): Folder of a store that ``echocardmae pack`` made of ``data_root``.
            ``RecordingInit`` then reads the decoded frames from it: the same pixels in a fraction
            of the time. Defaults to '', the files are decoded.
        test_mode (bool): Whether a recording that cannot be used ends the run. Draws do not depend
            on the epoch then. Defaults to False.
        **kwargs (Any): Further arguments of mmengine's ``BaseDataset``.

    Raises:
        UserError: If the list or the store cannot be used.
    """

    skipped: torch.Tensor
    padded: torch.Tensor

    def __init__(
        self,
        data_root: str = '',
        ann_file: str = '',
        pipeline: Sequence[dict[str, Any]] = (),
        packed: str = '',
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        self.report: dict[str, int] = {}
        self.store = PackedStore(packed) if packed else None
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            pipeline=list(pipeline),
            test_mode=test_mode,
            **kwargs,
        )

    def full_init(self) -> None:
        """Read the index, report on it once, and share the flags with the workers to come."""
        if self._fully_initialized:
            return
        super().full_init()
        self._share_flags()
        counts = ', '.join(f'{count} {what}' for what, count in self.report.items() if count)
        print_log(f'{type(self).__name__}: {len(self)} recordings to read; {counts}', 'current')

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep some of the recordings, in place.

        Args:
            indices (Sequence[int] | int): Which, or how many from the front (below 0: the end).
        """
        super().get_subset_(indices)
        self._share_flags()

    def get_subset(self, indices: Sequence[int] | int) -> RecordingDataset:
        """A data set of some of the recordings.

        Args:
            indices (Sequence[int] | int): Which, or how many from the front (below 0: the end).

        Returns:
            RecordingDataset: Of the same kind.
        """
        subset = super().get_subset(indices)
        subset._share_flags()
        return subset

    def _share_flags(self) -> None:
        self.skipped = torch.zeros(len(self), dtype=torch.uint8).share_memory_()
        self.padded = torch.zeros(len(self), dtype=torch.uint8).share_memory_()

    def __getitem__(self, idx: int) -> Any:
        """The sample of a recording, or of its replacement."""
        return self._usable(idx, {int(idx)})

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples of a batch; a replacement is never a recording that is already in it."""
        batch = {int(index) for index in indices}
        return [self._usable(index, batch) for index in indices]

    def prepare_data(self, idx: int) -> Any:
        """Send one recording through the pipeline; its random numbers depend on its key alone.

        The results hold the key, from which masks are drawn later, as ``key``, int64 of shape (3,).

        Args:
            idx (int): Index of the recording.

        Returns:
            Any: The sample that the pipeline packs.

        Raises:
            RecordingError: If it cannot be used.
        """
        results = self._listed(idx)
        filename = results['filename']
        results.update(self._packed(filename))
        key = rng_key(results)
        results['key'] = np.array(key, np.int64)
        with seeded_generators(key):
            sample = self.pipeline(results)
        if sample is None:
            raise RecordingError(filename, 'a transform of the pipeline refused it')
        if results.get('padded_frames'):
            self.padded[int(idx)] = 1
        return sample

    def skip_reason(self, index: int) -> str:
        """Why a recording was skipped, found by trying it again without moving any generator.

        Args:
            index (int): Index of the recording.

        Returns:
            str: The file and the reason.
        """
        try:
            self.prepare_data(EpochIndex(index, epoch=0, seed=0))
        except RecordingError as error:
            return str(error)
        return f'{self.get_data_info(index)["filename"]}: could not be used once; now it can'

    @force_full_init
    def content_hashes(self) -> list[str]:
        """Content of each recording, whatever its name: provenance that survives copying.

        Returns:
            list[str]: 128 bits of BLAKE2b as hexadecimal digits, in the order of the data set.
        """
        filenames = [self.recording_of(self.get_data_info(index)) for index in range(len(self))]
        recordings = list(dict.fromkeys(filenames))
        if self.store is not None:
            names = [name_in_store(filename, self.data_root) for filename in recordings]
            hashes = [self.store.entry(name)['content'] for name in names]
        else:
            # Its threads do not hold up a process that leaves meanwhile.
            with ThreadPool() as pool:
                hashes = pool.map(content_hash, recordings, chunksize=1)
        content = dict(zip(recordings, hashes))
        return [content[filename] for filename in filenames]

    def num_frames(self, filename: str | Path) -> int:
        """How many frames a recording of the data set has, by the file itself or its packed copy.

        Args:
            filename (str | Path): The recording.

        Returns:
            int: Frames that can be decoded.

        Raises:
            RecordingError: If it cannot be read.
        """
        results = {'filename': str(filename), **self._packed(str(filename))}
        return RecordingInit().transform(results)['total_frames']

    def recording_of(self, data_info: dict[str, Any]) -> str:
        """The recording that a sample was taken from, which provenance goes by.

        Args:
            data_info (dict): A sample as :meth:`load_data_list` gives it.

        Returns:
            str: Path of a file.
        """
        return data_info['filename']

    def _listed(self, index: int) -> dict[str, Any]:
        data_info: dict[str, Any] = self.get_data_info(index)
        if self.test_mode:
            data_info['rng_seed'] = 0
        return data_info

    def _packed(self, filename: str) -> dict[str, Any]:
        """What :class:`RecordingInit` needs to read the copy in the store, where there is one."""
        if self.store is None:
            return {}
        return {'packed': (self.store, name_in_store(filename, self.data_root))}

    def _usable(self, index: int, batch: set[int]) -> Any:
        if self.test_mode:
            return self.prepare_data(index)
        for candidate in chain([index], self._replacements(index, batch)):
            try:
                sample = self.prepare_data(candidate)
            except RecordingError as error:
                self.skipped[int(candidate)] = 1
                reason = str(error)
            else:
                batch.add(int(candidate))
                return sample
        raise UserError(
            f'none of {_MAX_REPLACEMENTS} recordings in a row could be used; the last: {reason}\n'
            f'Inspect the data with: echocardmae check {self.data_root or "ROOT"}'
        )

    def _replacements(self, index: int, batch: set[int]) -> Iterator[int]:
        key = rng_key({'sample_idx': index})
        for bits in random_bits(key, RngStream.REPLACEMENT, _MAX_REPLACEMENTS):
            candidate = int(bits) % len(self)
            if candidate not in batch:
                yield EpochIndex(candidate, key.epoch, key.seed)
