"""Command-line arguments shared by the benchmarks that take a config."""

from __future__ import annotations

import argparse

from mmengine.config import Config
from mmengine.registry import init_default_scope

from echocardmae_mm.cli.arguments import add_common
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import load_config
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError


def config_parser(description: str | None, nargs: str | None = None) -> argparse.ArgumentParser:
    """A parser that takes a config, or several, and ``--cfg-options``.

    Args:
        description (str, optional): Docstring of the benchmark.
        nargs (str, optional): '+' for several configs. Defaults to None for one.

    Returns:
        argparse.ArgumentParser: Parser to which the benchmark adds its own arguments.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs=nargs, help='path of a config')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common(parser)
    return parser


def config_of(args: argparse.Namespace, **changed: str) -> Config:
    """Load the config with its ``--cfg-options``, and set the default scope.

    Args:
        args (argparse.Namespace): From a :func:`config_parser`.
        **changed (str): Arguments to replace.

    Returns:
        Config: The config.
    """
    config = load_config(argparse.Namespace(**{**vars(args), **changed}))
    apply_cfg_options(config, args.cfg_options)
    init_default_scope(config.default_scope)
    return config


def pretraining_config_of(args: argparse.Namespace, **changed: str) -> Config:
    """Load the config as :func:`config_of` does, and refuse configs of other tasks."""
    config = config_of(args, **changed)
    if type_name(config.model) != 'echocardmae_mm.EchoCardMAE':
        raise UserError(
            f'{config.filename}: trains {type_name(config.model)}; expected a pretraining config'
        )
    return config
