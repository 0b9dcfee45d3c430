"""Commands of ``echocardmae``, one module each; ``tools/*.py`` are thin files over them."""
