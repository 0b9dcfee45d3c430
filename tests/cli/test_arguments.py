"""Numbers on a command line, and the help of a command."""

import argparse

import pytest

from echocardmae_mm.cli.arguments import at_least, command_parser, seed, worker_count


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


@pytest.mark.parametrize('text', ['0', '100000000', 'x'])
def test_refuses_more_processes_than_a_machine_can_hold(text):
    assert worker_count('1') == 1
    with pytest.raises(argparse.ArgumentTypeError):
        worker_count(text)


def test_help_keeps_line_breaks_and_shows_defaults():
    parser = command_parser('demo', 'One.\nTwo.')
    parser.add_argument('--size', default=0, help='size')
    parser.add_argument('--out', help='folder')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--jobs', default=8, help='processes (default: all)')
    lines = [' '.join(line.split()) for line in parser.format_help().splitlines()]
    assert lines[lines.index('One.') + 1] == 'Two.'
    assert '--size SIZE size (default: 0)' in lines
    assert '--out OUT folder' in lines
    assert '--amp mixed precision' in lines
    assert '--jobs JOBS processes (default: all)' in lines
