"""Test a checkpoint: ``python tools/test.py CONFIG CHECKPOINT`` is ``echocardmae test ...``."""

import sys

from echocardmae_mm.cli.main import main

if __name__ == '__main__':
    main(['test', *sys.argv[1:]])
