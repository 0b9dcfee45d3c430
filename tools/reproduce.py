"""Reproduce tables of the paper: ``echocardmae reproduce TABLE...``."""

import sys

from echocardmae_mm.cli.main import main

if __name__ == '__main__':
    main(['reproduce', *sys.argv[1:]])
