"""Frames that stay on the device."""

import numpy as np
import pytest
import torch

from echocardmae_mm.datasets import EchoVideoDataset
from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.datasets.resident_frames import ResidentFrames
from echocardmae_mm.datasets.sized_frames import SizedFrames
from echocardmae_mm.utils.errors import UserError


def test_frames_of_the_device_stay_in_the_process_that_trains(
    small_recordings, small_store, pretraining, batch_loader
):
    config = dict(
        type='echocardmae_mm.EchoVideoDataset',
        data_root=str(small_recordings),
        packed=small_store,
        pipeline=pretraining(),
        resident='device',
    )
    dataset = EchoVideoDataset(**{k: v for k, v in config.items() if k != 'type'})
    for given in (config, dataset):
        assert len(list(batch_loader(given, 0))) == 3
    with pytest.raises(UserError, match='num_workers=0'):
        list(batch_loader(config, 1, multiprocessing_context='fork', timeout=60))


def test_places_are_those_of_the_recordings_and_minus_one_is_black(small_store):
    store = PackedStore(small_store)
    resident = ResidentFrames(SizedFrames(store, ['0.avi', '3.avi']))
    places = torch.tensor([[0, 39], [resident.first['3.avi'] + 51, -1]])
    taken = resident.take(places).numpy()
    for found, (name, frame) in zip(taken.reshape(4, 32, 32, 3), [('0', 0), ('0', 39), ('3', 51)]):
        np.testing.assert_array_equal(found, store.open(f'{name}.avi', '').frames([frame])[0])
    assert not taken[1, 1].any()
    assert resident.num_frames == 40 + 52
