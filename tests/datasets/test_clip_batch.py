"""A batch that was read as one is collated as one."""

import pytest
from mmengine.dataset import pseudo_collate

from echocardmae_mm.datasets import EchoVideoDataset, whole_batch
from echocardmae_mm.utils.errors import UserError


def test_a_batch_is_collated_as_one(small_recordings, small_store, pretraining):
    common = dict(data_root=str(small_recordings), packed=small_store, pipeline=pretraining())
    batch = EchoVideoDataset(**common, batched=True).__getitems__([0, 1])
    with pytest.raises(UserError, match='needs collate_fn'):
        pseudo_collate(batch)
    with pytest.raises(UserError, match='set that, and let no RepeatDataset'):
        whole_batch(EchoVideoDataset(**common).__getitems__([0, 1]))
