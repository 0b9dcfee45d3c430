"""Train and test every fold: ``echocardmae cross-validate CONFIG``."""

from echocardmae_mm.cli.cross_validate import main

if __name__ == '__main__':
    main()
