"""What the benchmarks of a config have in common on the command line."""

from __future__ import annotations

import argparse

from mmengine.config import Config
from mmengine.registry import init_default_scope

from echocardmae_mm.cli.arguments import add_common
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import load_config
from echocardmae_mm.utils.errors import UserError


def config_parser(description: str | None, nargs: str | None = None) -> argparse.ArgumentParser:
    """A parser that takes a config, or several, and --cfg-options.

    Args:
        description (str, optional): The docstring of the tool.
        nargs (str, optional): '+' for several configs. Defaults to None, one.

    Returns:
        argparse.ArgumentParser: To which the tool adds its own.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs=nargs, help='path of a config')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common(parser)
    return parser


def config_of(args: argparse.Namespace, **changed: str) -> Config:
    """The config that the command line names, with its settings; its host's scope is set.

    Args:
        args (argparse.Namespace): What a :func:`config_parser` read.
        **changed (str): In place of arguments.

    Returns:
        Config: The config.
    """
    config = load_config(argparse.Namespace(**{**vars(args), **changed}))
    apply_cfg_options(config, args.cfg_options)
    init_default_scope(config.default_scope)
    return config


def pretraining_config_of(args: argparse.Namespace, **changed: str) -> Config:
    """The config of a pretraining that the command line names, as by :func:`config_of`.

    Args:
        args (argparse.Namespace): What a :func:`config_parser` read.
        **changed (str): In place of arguments.

    Returns:
        Config: The config.

    Raises:
        UserError: If the config is of another task.
    """
    config = config_of(args, **changed)
    if not config.model.type.endswith('EchoCardMAE'):
        raise UserError(f'{config.filename}: is of {config.model.type}; expected a pretraining')
    return config
