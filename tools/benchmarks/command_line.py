"""Command-line arguments shared by the benchmarks that take a config."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.registry import init_default_scope

from echocardmae_mm.cli.arguments import add_cfg_options, tool_parser
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import load_config
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError


def config_parser(description: str | None, nargs: str | None = None) -> argparse.ArgumentParser:
    """A parser that takes a config, or several with ``nargs='+'``, and ``--cfg-options``."""
    parser = tool_parser(description)
    parser.add_argument('config', nargs=nargs, help='path of a config')
    add_cfg_options(parser)
    return parser


def config_of(path: str, options: Sequence[str] | None, work_dir: str | None = None) -> Config:
    """Load a config, apply ``--cfg-options``, and set the default scope."""
    config = load_config(path, work_dir)
    apply_cfg_options(config, options)
    init_default_scope(config.default_scope)
    return config


def pretraining_config_of(args: argparse.Namespace, work_dir: str | None = None) -> Config:
    """Load the config of a benchmark of pretraining, and refuse configs of other tasks."""
    config = config_of(args.config, args.cfg_options, work_dir)
    if type_name(config.model) != 'echocardmae_mm.EchoCardMAE':
        raise UserError(
            f'{config.filename}: trains {type_name(config.model)}; expected a pretraining config'
        )
    return config
