import threading
import time

import pytest

from echocardmae_mm.engine.read_ahead import read_ahead


def test_gives_all_in_order_and_runs_ahead():
    asked = []

    def batches():
        for index in range(6):
            asked.append(index)
            yield index

    ahead = read_ahead(batches(), depth=2)
    assert next(ahead) == 0
    for _ in range(100):
        if len(asked) >= 4:
            break
        time.sleep(0.01)
    assert asked == [0, 1, 2, 3]  # one given, two waiting, one at hand
    assert list(ahead) == [1, 2, 3, 4, 5]


def test_an_error_comes_in_its_place():
    def batches():
        yield 'first'
        raise ValueError('second')

    ahead = read_ahead(batches())
    assert next(ahead) == 'first'
    with pytest.raises(ValueError, match='second'):
        next(ahead)
    assert list(ahead) == []


def test_the_thread_ends_with_its_reader():
    def endless():
        while True:
            yield 0

    ahead = read_ahead(endless())
    next(ahead)
    assert any(thread.name == 'read ahead' for thread in threading.enumerate())
    ahead.close()
    assert not any(thread.name == 'read ahead' for thread in threading.enumerate())
