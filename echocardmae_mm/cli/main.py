"""The console script ``echocardmae``, which imports only the requested command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from signal import SIGINT

from echocardmae_mm import __version__

COMMANDS = {
    'train': 'train a config',
    'test': 'test a checkpoint and record its results',
    'check': 'check a data set before training and list unusable recordings',
    'pack': 'decode a data set once into a store, for faster training',
    'cross-validate': 'train and test every fold of a config',
    'label-efficiency': 'compare a pretrained with a random start by the share of labels',
    'compare': 'compare two models tested on the same recordings',
    'clip-consistency': 'measure how much an EF model depends on where its clip starts',
    'predict': 'measure recordings with trained models, with videos and a report',
    'publish': 'publish a trained model as a bundle for predict',
    'embed': 'write features of recordings',
    'probe': 'predict labels from features, patient-wise',
    'export': 'export a bundle for other runtimes (ONNX)',
    'show-sector': 'draw the ultrasound sector found in a recording',
    'deidentify': 'copy recordings without what identifies a patient',
    'phantoms': 'make synthetic data sets with known truth',
    'show-phantoms': 'draw phantoms beside real frames',
    'rate-phantoms': 'compute statistics of a phantom data set',
    'reproduce': "reproduce the paper's tables",
    'convert': 'convert released EchoCardMAE, VideoMAE or timm weights',
    'env': 'print versions and devices for a bug report',
}

_INTERRUPTED = 128 + SIGINT


def usage() -> str:
    """Help of the console script.

    Returns:
        str: One line per command.
    """
    lines = [f'  {name:17} {summary}' for name, summary in COMMANDS.items()]
    return '\n'.join(
        [
            'usage: echocardmae COMMAND ...',
            '',
            *lines,
            '',
            'Run echocardmae COMMAND --help for the options of a command.',
        ]
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command.

    Args:
        argv (Sequence[str], optional): Command and arguments. Defaults to those of the process.
    """
    name, *arguments = (sys.argv[1:] if argv is None else argv) or ['--help']
    if name in ('-h', '--help'):
        print(usage())
    elif name == '--version':
        print(f'echocardmae {__version__}')
    elif name in COMMANDS:
        try:
            import_module(f'echocardmae_mm.cli.{name.replace("-", "_")}').main(arguments)
        except KeyboardInterrupt as interruption:
            print('; '.join(['interrupted', *map(str, interruption.args)]), file=sys.stderr)
            sys.exit(_INTERRUPTED)
    else:
        close = get_close_matches(name, COMMANDS, n=1)
        hint = f'did you mean {close[0]}?' if close else 'see echocardmae --help'
        sys.exit(f'error: {name}: no such command; {hint}')
