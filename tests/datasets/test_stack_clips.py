"""Stacked clips equal those of mmengine's collate function, in the order of their memory."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import default_collate
from mmengine.registry import FUNCTIONS
from torch.testing import assert_close

stack_clips = FUNCTIONS.get('echocardmae_mm.stack_clips')


def sample(seed: int) -> dict:
    """A sample as FormatShape leaves it: its channels vary fastest in memory."""
    generator = torch.Generator().manual_seed(seed)
    clips = torch.randint(0, 256, (2, 4, 5, 6, 3), dtype=torch.uint8, generator=generator)
    return {
        'inputs': {'imgs': clips.permute(0, 4, 1, 2, 3), 'key': torch.tensor([seed, 1, 2])},
        'data_samples': ActionDataSample(metainfo=dict(filename=f'{seed}.avi')),
    }


@pytest.mark.parametrize('is_contiguous', [False, True])
def test_the_batch_is_that_of_the_default(is_contiguous):
    samples = [sample(seed) for seed in range(3)]
    if is_contiguous:
        for one in samples:
            one['inputs']['imgs'] = one['inputs']['imgs'].contiguous()
    batch, expected = stack_clips(samples), default_collate(samples)
    assert_close(batch['inputs'], expected['inputs'], rtol=0, atol=0)
    assert batch['data_samples'] == expected['data_samples']
    assert batch['inputs']['imgs'].stride()[1:] == samples[0]['inputs']['imgs'].stride()
