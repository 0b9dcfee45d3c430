"""Reproduce tables of the paper: ``echocardmae reproduce TABLE...``."""

from echocardmae_mm.cli.reproduce import main

if __name__ == '__main__':
    main()
