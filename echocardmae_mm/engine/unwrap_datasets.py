"""What lies within mmengine's data set wrappers."""

from __future__ import annotations

from typing import Any

from torch.utils.data import Dataset


def unwrap_datasets(dataset: Dataset) -> list[Any]:
    """The data sets that read files, within any wrappers around them.

    Args:
        dataset (Dataset): A data set, or a wrapper such as mmengine's ``ConcatDataset`` and
            ``RepeatDataset``.

    Returns:
        list: Those that wrap no other.
    """
    if hasattr(dataset, 'datasets'):
        return [leaf for part in dataset.datasets for leaf in unwrap_datasets(part)]
    return unwrap_datasets(dataset.dataset) if hasattr(dataset, 'dataset') else [dataset]
