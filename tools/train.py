"""Train a config: ``python tools/train.py CONFIG`` is ``echocardmae train CONFIG``."""

import sys

from echocardmae_mm.cli.main import main

if __name__ == '__main__':
    main(['train', *sys.argv[1:]])
