from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from types import SimpleNamespace

import torch

import echocardmae_mm
from echocardmae_mm.engine import ProvenanceHook
from echocardmae_mm.utils.git import git_commit


class Hashed:
    def __init__(self, *contents):
        self.contents = contents

    def content_hashes(self):
        return [hashlib.sha256(content).hexdigest() for content in self.contents]


class Vanished:
    def content_hashes(self):
        raise FileNotFoundError('gone.avi')


def saved(dataset, tmp_path):
    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=dataset),
        seed=7,
        cfg={},
        logger=logging.getLogger('provenance'),
    )
    hook = ProvenanceHook()
    hook.before_train(runner)
    checkpoint = {'meta': {}}
    hook.before_save_checkpoint(runner, checkpoint)
    torch.save(checkpoint, tmp_path / 'checkpoint.pth')
    loaded = torch.load(tmp_path / 'checkpoint.pth', weights_only=True)
    return loaded['meta']['echocardmae_mm']


def test_records_training_videos_and_code(tmp_path):
    wrapped = SimpleNamespace(datasets=[Hashed(b'a', b'b'), Hashed(b'c')])
    assert saved(wrapped, tmp_path) == {
        'version': echocardmae_mm.__version__,
        'commit': git_commit(),
        'seed': 7,
        'videos': [hashlib.sha256(content).hexdigest() for content in (b'a', b'b', b'c')],
        'started_from': [],
    }


def test_works_without_hashes(tmp_path, caplog):
    assert saved([1, 2], tmp_path)['videos'] is None
    assert saved(Vanished(), tmp_path)['videos'] is None
    assert 'gone.avi' in caplog.text


def test_hashing_does_not_delay_exit(tmp_path):
    """A process exits while a thread still hashes."""
    (tmp_path / 'videos').mkdir()
    for index in range(300):
        (tmp_path / 'videos' / f'{index}.avi').write_bytes(b'')
    program = f"""
import threading, time
from echocardmae_mm.datasets import EchoVideoDataset, recording_dataset
begun = threading.Event()
def slow(path):
    begun.set()
    time.sleep(60)
recording_dataset.content_hash = slow
dataset = EchoVideoDataset({str(tmp_path / 'videos')!r}, pipeline=[])
threading.Thread(target=dataset.content_hashes, daemon=True).start()
begun.wait()
"""
    done = subprocess.run([sys.executable, '-c', program], timeout=100, capture_output=True)
    assert done.returncode == 0, done.stderr
