from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from mmengine.dataset import ConcatDataset

from echocardmae_mm.datasets import EchoVideoDataset
from echocardmae_mm.engine import SkippedVideosHook, unwrap_datasets


@pytest.fixture
def folder(tmp_path, make_video):
    def make(name, damaged):
        for index in range(4):
            make_video(tmp_path / name / f'{index}.avi', num_frames=12, seed=index)
        for index in damaged:
            (tmp_path / name / f'{index}.avi').write_bytes(b'')
        pipeline = [
            dict(type='echocardmae_mm.RecordingInit'),
            dict(type='echocardmae_mm.SampleRandomClips', clip_len=8, frame_interval=2),
            dict(type='echocardmae_mm.RecordingDecode'),
        ]
        return EchoVideoDataset(data_root=str(tmp_path / name), pipeline=pipeline)

    return make


def runner_of(dataset):
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=dataset), logger=logging.getLogger('skipped')
    )


def test_logs_each_recording_once_with_counts(folder, caplog):
    dataset = ConcatDataset([folder('a', damaged=[1]), folder('b', damaged=[2, 3])])
    hook, runner = SkippedVideosHook(), runner_of(dataset)
    caplog.set_level(logging.INFO, 'skipped')

    dataset.datasets[0].__getitems__([0, 1])
    hook.after_train_epoch(runner)
    assert caplog.messages[0].startswith('skipped ')
    assert 'a/1.avi: ' in caplog.messages[0]
    assert caplog.messages[1].startswith('skipped and replaced 1 of 8 recordings so far')
    assert 'shorter than a clip' in caplog.messages[2]

    caplog.clear()
    dataset.datasets[1].__getitems__([2])
    hook.after_train_epoch(runner)
    assert [message for message in caplog.messages if 'a/1.avi' in message] == []
    assert any('b/2.avi' in message for message in caplog.messages)


def test_logs_nothing_for_a_data_set_without_flags(caplog):
    caplog.set_level(logging.INFO, 'skipped')
    SkippedVideosHook().after_train_epoch(runner_of([1, 2, 3]))
    assert caplog.messages == []


def test_unwraps_data_sets():
    inner = [object(), object()]
    wrapped = SimpleNamespace(dataset=SimpleNamespace(datasets=inner))
    assert unwrap_datasets(wrapped) == inner
