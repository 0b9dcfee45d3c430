"""Get the data sets or the model inside mmengine's wrappers."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn
from torch.utils.data import Dataset


def unwrap_datasets(dataset: Dataset) -> list[Any]:
    """The data sets that read files, inside wrappers such as ``ConcatDataset``."""
    if hasattr(dataset, 'datasets'):
        return [leaf for part in dataset.datasets for leaf in unwrap_datasets(part)]
    return unwrap_datasets(dataset.dataset) if hasattr(dataset, 'dataset') else [dataset]


def unwrap_model(model: nn.Module) -> Any:
    """The model inside ``MMDistributedDataParallel``, ``SegTTAModel`` or the like, or itself."""
    if is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        inner: Any = model.module
        return unwrap_model(inner)
    return model
