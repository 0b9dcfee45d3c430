"""Files whose bytes depend only on their content."""

import resource
from contextlib import contextmanager

import numpy as np
import pytest

from echocardmae_mm.phantom.reproducible_files import write_avi
from echocardmae_mm.utils.errors import UserError

FRAMES = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), dtype=np.uint8)


@contextmanager
def room_for(size):
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_video_is_the_same_each_time(tmp_path):
    for name in ('a.avi', 'b.avi'):
        write_avi(tmp_path / name, FRAMES, 50)
    assert (tmp_path / 'a.avi').read_bytes() == (tmp_path / 'b.avi').read_bytes()


@pytest.mark.parametrize('share', [0.99, 0.5, 0.1, 0])
def test_a_video_that_the_disk_cannot_hold_is_refused(tmp_path, share):
    write_avi(tmp_path / 'whole.avi', FRAMES, 50)
    size = (tmp_path / 'whole.avi').stat().st_size
    with (
        room_for(int(share * size)),
        pytest.raises(UserError, match=r'incomplete|cannot be written'),
    ):
        write_avi(tmp_path / 'a.avi', FRAMES, 50)
