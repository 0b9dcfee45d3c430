"""The commit of the package."""

import subprocess
from pathlib import Path

import echocardmae_mm.utils.git
from echocardmae_mm.utils.git import git_commit


def test_commit_is_that_of_the_package_alone(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(['git', '-C', str(tmp_path), *arguments], check=True, capture_output=True)

    package = tmp_path / 'package'
    package.mkdir()
    module = package / '__init__.py'
    module.write_text('')
    monkeypatch.setattr(echocardmae_mm.utils.git, '__file__', str(package / 'utils' / 'git.py'))
    assert git_commit() is None
    git('init')
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--allow-empty', '-m', 'other')
    assert git_commit() is None, "a virtual environment inside somebody else's checkout"
    git('add', str(module))
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-m', 'package')
    head = Path(tmp_path, '.git', 'refs', 'heads')
    commit = next(head.iterdir()).read_text().strip()
    assert git_commit() == commit
    module.write_text('changed = True')
    assert git_commit() == f'{commit}-dirty'
