"""The dispatcher ``echocardmae``."""

import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from echocardmae_mm.cli.main import COMMANDS, main


def test_help_lists_every_command_and_imports_nothing_heavy():
    program = (
        'import sys; from echocardmae_mm.cli.main import main; main(["--help"]); '
        'print(sorted({"torch", "numpy", "mmengine", "cv2"} & set(sys.modules)))'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *lines, heavy = done.stdout.splitlines()
    assert heavy == '[]'
    for name in COMMANDS:
        assert any(line.startswith(f'  {name} ') for line in lines)


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_describes_itself(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, '--help'])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f'usage: echocardmae {name} ')
    summary = import_module(f'echocardmae_mm.cli.{name.replace("-", "_")}').__doc__
    assert summary.partition('\n')[0] in printed


@pytest.mark.parametrize('name', ['train', 'test', 'cross_validate', 'reproduce'])
def test_a_tool_is_a_command(name, capsys, monkeypatch):
    tool = str(Path(__file__).parents[2] / 'tools' / f'{name}.py')
    monkeypatch.setattr(sys, 'argv', [tool, '--help'])
    with pytest.raises(SystemExit):
        runpy.run_path(tool, run_name='__main__')
    assert capsys.readouterr().out.startswith(f'usage: echocardmae {name.replace("_", "-")} ')


def test_an_early_interruption_costs_one_line(tmp_path, capsys):
    (tmp_path / 'config.py').write_text('raise KeyboardInterrupt')
    with pytest.raises(SystemExit) as end:
        main(['train', str(tmp_path / 'config.py')])
    assert end.value.code == 130
    assert capsys.readouterr().err == 'interrupted\n'


@pytest.mark.parametrize(
    ('words', 'step', 'message'),
    [
        (['check', 'data'], 'check.open_recordings', 'interrupted\n'),
        (
            ['phantoms', '--out', 'new', '--datasets', 'echonet'],
            'phantoms.make',
            'interrupted; repeat the command to continue\n',
        ),
    ],
)
def test_an_interruption_has_a_status_of_its_own(
    words, step, message, tmp_path, capsys, monkeypatch, make_video
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / 'data' / 'beat.avi', num_frames=8)
    monkeypatch.setattr(f'echocardmae_mm.cli.{step}', interrupted)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 130
    assert capsys.readouterr().err == message


def test_names_the_nearest_command():
    with pytest.raises(SystemExit, match='error: trian: no such command; did you mean train'):
        main(['trian'])
    with pytest.raises(SystemExit, match='error: xyz: no such command; see echocardmae --help'):
        main(['xyz'])
