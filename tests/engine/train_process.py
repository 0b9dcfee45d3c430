"""A script in a process whose libraries are imported already.

Run by ``runpy`` with the names ``SCRIPT`` (str), ``ARGUMENTS`` (list[str]), ``ENVIRONMENT``
(dict[str, str]) and ``OUTPUT`` (str).
"""

import os
import runpy
import sys
from pathlib import Path

names = globals()
os.setsid()
output = os.open(names['OUTPUT'], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(output, 1)
os.dup2(output, 2)
os.environ.update(names['ENVIRONMENT'])
sys.path.insert(0, str(Path(names['SCRIPT']).parent))
sys.argv = [names['SCRIPT'], *names['ARGUMENTS']]
runpy.run_path(names['SCRIPT'], run_name='__main__')
