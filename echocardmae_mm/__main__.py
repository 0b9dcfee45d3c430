"""``python -m echocardmae_mm COMMAND`` is ``echocardmae COMMAND``."""

from echocardmae_mm.cli.main import main

if __name__ == '__main__':
    main()
