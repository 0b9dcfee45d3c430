"""``tools/train.py`` in a process whose libraries are imported already.

Run by ``runpy`` with the names ``ARGUMENTS`` (list[str]), ``OUTPUT`` (str) and ``TOOLS`` (str).
"""

import os
import runpy
import sys

names = globals()
os.setsid()
output = os.open(names['OUTPUT'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(output, 1)
os.dup2(output, 2)
sys.path.insert(0, names['TOOLS'])
sys.argv = ['tools/train.py', *names['ARGUMENTS']]
runpy.run_path(f'{names["TOOLS"]}/train.py', run_name='__main__')
