"""The same config under MMAction2's own ``tools/train.py``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def test_mmactions_tool_trains_and_resumes_exactly(new_run, uninterrupted):
    script = Path(find_spec('mmaction').origin).parent / '.mim' / 'tools' / 'train.py'
    run = new_run()
    assert run.start(script=str(script)).wait_for_file('iter_6.pth')
    run.send(15)
    assert run.finish() == 128 + 15
    assert run.start('--resume', script=str(script)).finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)
