"""A validation loop that skips damaged recordings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner, ValLoop
from torch.utils.data import Dataset

from echocardmae_mm.registry import LOOPS
from echocardmae_mm.utils.errors import RecordingError


@LOOPS.register_module()
class SkippingValLoop(ValLoop):
    """``ValLoop`` that leaves out recordings it cannot use, so that none ends a training run.

    Logs each of them. A test stops at such a recording instead.
    """

    def __init__(self, runner: Runner, **kwargs: Any) -> None:
        super().__init__(runner, **kwargs)
        dataset = self.dataloader.dataset
        dataset.__getitems__ = partial(_usable_batch, dataset, set())
        self.dataloader.collate_fn = partial(_collate_any, self.dataloader.collate_fn)

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Predict a batch, unless none of its recordings can be used."""
        if data_batch is not None:
            super().run_iter(idx, data_batch)


def iter_usable(
    dataset: Dataset, indices: Iterable[int], reported: set[str] | None = None
) -> Iterator[Any]:
    """Load samples, and log the recordings that cannot be used.

    Messages in ``reported`` are not logged again; new ones are added to it.
    """
    reported = set() if reported is None else reported
    for index in indices:
        try:
            yield dataset[index]
        except RecordingError as error:
            if str(error) not in reported:
                reported.add(str(error))
                print_log(f'skipped {error}', 'current', logging.WARNING)


def _usable_batch(dataset: Dataset, reported: set[str], indices: Sequence[int]) -> list[Any]:
    return list(iter_usable(dataset, indices, reported))


def _collate_any(collate: Callable[[list[Any]], Any], samples: list[Any]) -> Any:
    return collate(samples) if samples else None
