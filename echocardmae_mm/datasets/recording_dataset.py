"""Base class of the data sets of recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from echocardmae_mm.datasets.recordings import PackedStore, content_hash, name_in_store
from echocardmae_mm.datasets.seeded_generators import seeded_generators
from echocardmae_mm.utils.counter_rng import EpochIndex, RngStream, random_bits, rng_key
from echocardmae_mm.utils.errors import RecordingError, UserError

#: Keys of the index that a packed sample keeps, whatever the ``meta_keys`` of its packer.
IDENTITY = ('filename', 'patient', 'view', 'quality', 'source', 'instant', 'frame', 'ef')
_MAX_REPLACEMENTS = 100


class RecordingDataset(BaseDataset):
    """Recordings from an index that a subclass reads in ``load_data_list``.

    In training, an unusable recording is replaced by another one outside the batch, chosen as a
    pure function of seed, epoch and video. In testing, it raises an error; validation during
    training leaves it out (``SkippingValLoop``).

    Attributes:
        skipped (torch.Tensor): uint8 (len(self),) in shared memory; 1 for each recording that any
            worker failed to use.
        padded (torch.Tensor): uint8 (len(self),) in shared memory; 1 for each recording shorter
            than a clip.
        report (dict[str, int]): Counts from reading the index, by description.

    Args:
        data_root (str): Folder of the data set. Defaults to ''.
        ann_file (str): Index file, for data sets that have one. Defaults to ''.
        pipeline (Sequence[dict]): Transforms. Defaults to ().
        packed (str): Folder of a store that ``echocardmae pack`` made from ``data_root``. Reading
            decoded frames from it is much faster. Defaults to '', no store.
        test_mode (bool): Whether unusable recordings raise an error and random numbers are
            independent of the epoch. Defaults to False.
        **kwargs (Any): Arguments of mmengine's ``BaseDataset``.

    Raises:
        UserError: If the index or the store cannot be used.
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
        """Read the index, log its counts and allocate the flags shared by workers."""
        if self._fully_initialized:
            return
        super().full_init()
        self._share_flags()
        counts = ', '.join(f'{count} {name}' for name, count in self.report.items() if count)
        found = '; '.join(filter(None, (f'{len(self)} recordings to read', counts)))
        print_log(f'{type(self).__name__}: {found}', 'current')

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Reduce the data set to a subset in place, and reset the flags."""
        super().get_subset_(indices)
        self._share_flags()

    def get_subset(self, indices: Sequence[int] | int) -> RecordingDataset:
        """Copy a subset, with its own flags."""
        subset = super().get_subset(indices)
        subset._share_flags()
        return subset

    def _share_flags(self) -> None:
        self.skipped = torch.zeros(len(self), dtype=torch.uint8).share_memory_()
        self.padded = torch.zeros(len(self), dtype=torch.uint8).share_memory_()

    def __getitem__(self, idx: int) -> Any:
        """The sample of a recording or of its replacement."""
        return self._load_usable(idx, {int(idx)})

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples of a batch; replacements are not already in the batch."""
        batch = {int(index) for index in indices}
        return [self._load_usable(index, batch) for index in indices]

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one recording, with random numbers that depend only on its key.

        The pipeline gets the key as ``key``, int64 of shape (3,), for masks drawn later.

        Raises:
            RecordingError: If the recording cannot be used.
        """
        results = self.get_data_info(idx)
        filename = results['filename']
        if self.test_mode:
            results['rng_seed'] = 0
        if self.store is not None:
            results['packed'] = self.store, name_in_store(filename, self.data_root)
        key = rng_key(results)
        results['key'] = np.array(key, np.int64)
        with seeded_generators(key):
            sample = self.pipeline(results)
        if sample is None:
            raise RecordingError(filename, 'a transform of the pipeline rejected it')
        _keep_identity(sample, results)
        if results.get('padded_frames'):
            self.padded[int(idx)] = 1
        return sample

    def skip_reason(self, index: int) -> str:
        """Name a skipped recording and the reason, by running the pipeline again.

        Does not change the global random generators.
        """
        try:
            self.prepare_data(EpochIndex(index, epoch=0, seed=0))
        except RecordingError as error:
            return str(error)
        return f'{self.get_data_info(index)["filename"]}: failed before, but can be read now'

    @force_full_init
    def content_hashes(self) -> list[str]:
        """Hash the content of each recording, independently of its name.

        Returns:
            list[str]: 128-bit BLAKE2b, hexadecimal, in the order of the data set.
        """
        filenames = [self.recording_of(self.get_data_info(index)) for index in range(len(self))]
        recordings = list(dict.fromkeys(filenames))
        if self.store is not None:
            names = [name_in_store(filename, self.data_root) for filename in recordings]
            hashes = [self.store.entry(name)['content'] for name in names]
        else:
            # Daemon threads do not delay the exit of an interrupted process.
            with ThreadPool() as pool:
                hashes = pool.map(content_hash, recordings, chunksize=1)
        content = dict(zip(recordings, hashes))
        return [content[filename] for filename in filenames]

    def recording_of(self, data_info: dict[str, Any]) -> str:
        """Path of the recording that a sample of :meth:`load_data_list` is from."""
        return data_info['filename']

    def _load_usable(self, index: int, batch: set[int]) -> Any:
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
            f'{_MAX_REPLACEMENTS} recordings in a row could not be used; the last: {reason}\n'
            f'Inspect the data with: echocardmae check {self.data_root or "ROOT"}'
        )

    def _replacements(self, index: int, batch: set[int]) -> Iterator[int]:
        key = rng_key({'sample_idx': index})
        for bits in random_bits(key, RngStream.REPLACEMENT, _MAX_REPLACEMENTS):
            candidate = int(bits) % len(self)
            if candidate not in batch:
                wrapped = key.video - int(index)  # its place in ConcatDataset or RepeatDataset
                yield EpochIndex(candidate, key.epoch, key.seed, candidate + wrapped)


def _keep_identity(sample: Any, results: dict[str, Any]) -> None:
    packed = sample.get('data_samples') if isinstance(sample, dict) else None
    for element in packed if isinstance(packed, list) else [packed]:  # TestTimeAug packs several
        if isinstance(element, BaseDataElement):
            found = (key for key in IDENTITY if key in results and key not in element)
            element.set_metainfo({key: results[key] for key in found})
