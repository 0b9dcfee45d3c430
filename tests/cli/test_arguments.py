"""Numbers of a command line."""

import argparse
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture
def parse(monkeypatch):
    """Read one number that must be at least 1."""
    monkeypatch.syspath_prepend(str(TOOLS))
    from argument_types import at_least

    parser = argparse.ArgumentParser()
    parser.add_argument('--jobs', type=at_least(1))
    return lambda text: parser.parse_args([f'--jobs={text}']).jobs


@pytest.mark.parametrize('number', [1, 2, 10**12])
def test_numbers_in_range_are_read(parse, number):
    assert parse(str(number)) == number


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('0', 'argument --jobs: must be at least 1, not 0'),
        ('-3', 'argument --jobs: must be at least 1, not -3'),
        ('two', "argument --jobs: expected a whole number, not 'two'"),
        ('1.5', "argument --jobs: expected a whole number, not '1.5'"),
        ('', "argument --jobs: expected a whole number, not ''"),
        ('--1', "argument --jobs: expected a whole number, not '--1'"),
    ],
)
def test_others_are_told(parse, text, message, capsys):
    with pytest.raises(SystemExit) as leaving:
        parse(text)
    assert leaving.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('text', ['-1', '4294967296', '99999999999', 'x'])
def test_what_is_no_seed_is_told(text, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from argument_types import seed

    assert [seed('0'), seed('4294967295')] == [0, 4294967295]
    with pytest.raises(argparse.ArgumentTypeError):
        seed(text)
