"""Train a config: ``python tools/train.py CONFIG`` is ``echocardmae train CONFIG``."""

from echocardmae_mm.cli.train import main

if __name__ == '__main__':
    main()
