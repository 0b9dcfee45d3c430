"""The data sets inside mmengine's wrappers."""

from __future__ import annotations

from typing import Any

from torch.utils.data import Dataset


def unwrap_datasets(dataset: Dataset) -> list[Any]:
    """The data sets that read files, inside wrappers such as ``ConcatDataset``."""
    if hasattr(dataset, 'datasets'):
        return [leaf for part in dataset.datasets for leaf in unwrap_datasets(part)]
    return unwrap_datasets(dataset.dataset) if hasattr(dataset, 'dataset') else [dataset]
