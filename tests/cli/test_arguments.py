"""Numbers on a command line."""

import argparse

import pytest

from echocardmae_mm.cli.arguments import at_least, seed


def parse(text: str) -> int:
    """Read one number that must be at least 1."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--jobs', type=at_least(1))
    return parser.parse_args([f'--jobs={text}']).jobs


@pytest.mark.parametrize('number', [1, 2, 10**12])
def test_accepts_numbers_in_range(number):
    assert parse(str(number)) == number


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('0', 'argument --jobs: must be at least 1, not 0'),
        ('-3', 'argument --jobs: must be at least 1, not -3'),
        ('two', "argument --jobs: expected an integer, not 'two'"),
        ('1.5', "argument --jobs: expected an integer, not '1.5'"),
        ('', "argument --jobs: expected an integer, not ''"),
        ('--1', "argument --jobs: expected an integer, not '--1'"),
    ],
)
def test_refuses_other_numbers(text, message, capsys):
    with pytest.raises(SystemExit) as leaving:
        parse(text)
    assert leaving.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('text', ['-1', '4294967296', '99999999999', 'x'])
def test_refuses_what_is_no_seed(text):
    assert [seed('0'), seed('4294967295')] == [0, 4294967295]
    with pytest.raises(argparse.ArgumentTypeError):
        seed(text)
