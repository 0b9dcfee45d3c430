"""Test a checkpoint: ``python tools/test.py CONFIG CHECKPOINT`` is ``echocardmae test ...``."""

from echocardmae_mm.cli.test import main

if __name__ == '__main__':
    main()
