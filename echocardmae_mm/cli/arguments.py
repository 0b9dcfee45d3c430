"""Command-line arguments that several commands share."""

from __future__ import annotations

import math
import os
from argparse import (
    SUPPRESS,
    Action,
    ArgumentParser,
    ArgumentTypeError,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable
from pathlib import Path

from echocardmae_mm.utils.errors import UserError

#: More worker processes exhaust the memory before they make anything faster.
MAX_WORKERS = max(256, 4 * (os.cpu_count() or 1))


class HelpFormatter(RawDescriptionHelpFormatter):
    """Keep the line breaks of descriptions, and append the defaults of options."""

    def _get_help_string(self, action: Action) -> str | None:
        has_default = not any(action.default is none for none in (None, False, SUPPRESS))
        if has_default and action.help and '(default' not in action.help:
            return f'{action.help} (default: %(default)s)'
        return action.help


def tool_parser(description: str | None, prog: str | None = None) -> ArgumentParser:
    """A parser that describes a program with the docstring of its module."""
    return ArgumentParser(prog, description=description, formatter_class=HelpFormatter)


def command_parser(command: str, description: str | None) -> ArgumentParser:
    """A parser that describes a command with the docstring of its module."""
    return tool_parser(description, f'echocardmae {command}')


def add_config(parser: ArgumentParser) -> None:
    """Add ``config``."""
    parser.add_argument(
        'config', help='path of a config, or name of a packaged one such as ef_echonet'
    )


def add_checkpoint(parser: ArgumentParser) -> None:
    """Add ``checkpoint``."""
    parser.add_argument('checkpoint', help='path or URL of the checkpoint')


def add_cfg_options(parser: ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='override settings of the config, such as train_dataloader.batch_size=16 '
        'model.x="[1,2]"; +KEY=VALUE adds a setting that no component declares',
    )


def add_common(parser: ArgumentParser) -> None:
    """Add ``--cfg-options``, ``--launcher`` and ``--local-rank``."""
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes were started',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by torchrun')


def add_allow_leakage(parser: ArgumentParser) -> None:
    """Add ``--allow-leakage``."""
    parser.add_argument(
        '--allow-leakage',
        action='store_true',
        help='test even if the model was trained on test recordings, and record the leakage',
    )


def add_force(parser: ArgumentParser, what: str = 'the results in --out') -> None:
    """Add ``--force``."""
    parser.add_argument('--force', action='store_true', help=f'overwrite {what}')


def require_free(path: Path, force: bool) -> None:
    """Refuse to overwrite a file or folder without ``--force``."""
    if path.exists() and not force:
        raise UserError(f'{path} exists; choose another name, or pass --force')


def add_jobs(parser: ArgumentParser) -> None:
    """Add ``--jobs``."""
    parser.add_argument(
        '--jobs',
        type=worker_count,
        default=os.cpu_count() or 1,
        help='number of worker processes (default: number of CPU cores)',
    )


def at_least(least: int) -> Callable[[str], int]:
    """An argparse type for integers from ``least`` on."""

    def number(text: str) -> int:
        if not text.removeprefix('-').isdecimal():
            raise ArgumentTypeError(f'expected an integer, not {text!r}')
        if int(text) < least:
            raise ArgumentTypeError(f'must be at least {least}, not {text}')
        return int(text)

    return number


def positive(most: float = math.inf) -> Callable[[str], float]:
    """An argparse type for finite numbers above 0, at most ``most``."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (0 < value <= most and math.isfinite(value)):
            limit = '' if math.isinf(most) else f' up to {most:g}'
            raise ArgumentTypeError(f'expected a positive number{limit}, not {text!r}')
        return value

    return number


def worker_count(text: str) -> int:
    """An argparse type for numbers of worker processes, 1 to :data:`MAX_WORKERS`."""
    number = at_least(1)(text)
    if number > MAX_WORKERS:
        raise ArgumentTypeError(f'must be at most {MAX_WORKERS}, not {text}')
    return number


def seed(text: str) -> int:
    """An argparse type for seeds that both numpy and torch accept, 0 to 2**32 - 1."""
    number = at_least(0)(text)
    if number >= 2**32:
        raise ArgumentTypeError(f'must be below 2**32, not {text}')
    return number
