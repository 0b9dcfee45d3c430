import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(tool, *options):
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    return subprocess.run(
        [sys.executable, ROOT / 'tools' / tool, *options],
        env={**os.environ, 'PYTHONPATH': path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_written_set_is_rated(tmp_path):
    sizes = ('--videos', '4', '--jobs', '1', '--datasets', 'echonet')
    assert run('make_phantoms.py', '--out', tmp_path, *sizes).returncode == 0
    rated = run('rate_phantoms.py', tmp_path)
    assert rated.returncode == 0, rated.stderr
    values = dict(line.rsplit('  ', 1) for line in rated.stdout.strip().splitlines()[-5:])
    assert {key.strip() for key in values} >= {'videos', 'Dice of the mean mask'}


def test_a_folder_without_truth_is_told_in_one_line(tmp_path):
    rated = run('rate_phantoms.py', tmp_path)
    assert rated.returncode == 1
    assert 'make_phantoms.py' in rated.stderr
    assert len(rated.stderr.strip().splitlines()) == 1
