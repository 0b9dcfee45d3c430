"""Train and test every fold: ``echocardmae cross-validate CONFIG``."""

import sys

from echocardmae_mm.cli.main import main

if __name__ == '__main__':
    main(['cross-validate', *sys.argv[1:]])
