"""How long a config's whole training will take here, predicted from minutes of it.

    python tools/benchmarks/schedule.py configs/pretrain_echo_packed.py --minutes 5 --amp --compile

The training is that of tools/train.py, reading, preparation, logging and the turns between epochs
included; checkpoints and validations of the time are. The first share of it, in which everything
warms up, is left out. What is printed is a prediction.
"""

from __future__ import annotations

import argparse
import math
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mmengine.config import Config

from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.errors import UserError

TOOLS = Path(__file__).parents[1]
WARM_UP = 0.25
_LINE = re.compile(r'^(\S+ \S+) - .* Epoch\(train\) +\[(\d+)\]\[ *(\d+)/(\d+)\]', re.MULTILINE)


class Mark(NamedTuple):
    """A line of the log: when so many iterations were done, and how many an epoch has."""

    when: datetime
    done: int
    epoch: int


def parse_args() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--minutes', type=float, default=5, help='how long it is trained')
    return parser.parse_known_args()


def marks_of(work_dir: Path) -> list[Mark]:
    """What the log of a training says of its pace."""
    text = ''.join(path.read_text() for path in sorted(work_dir.glob('*/*.log')))
    return [
        Mark(
            datetime.strptime(when, '%Y/%m/%d %H:%M:%S'),
            (int(epoch) - 1) * int(length) + int(iteration),
            int(length),
        )
        for when, epoch, iteration, length in _LINE.findall(text)
    ]


def train_for(minutes: float, command: list[str]) -> None:
    """Train, and stop as one stops a training that is to be resumed."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, errors = process.communicate(timeout=60 * minutes)
        ended = True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate()
        ended = False
    if ended and process.returncode:
        raise UserError(errors.strip().rpartition('\n')[2])


@report_user_errors
def main() -> None:
    with TemporaryDirectory() as folder:
        args, handed_on = parse_args()
        if not 0 < args.minutes < math.inf:
            raise UserError(f'--minutes {args.minutes}: expected a number above 0')
        tool = [sys.executable, str(TOOLS / 'train.py'), args.config, '--work-dir', folder]
        train_for(args.minutes, [*tool, *handed_on])
        (dumped,) = Path(folder).glob('*.py')
        epochs = Config.fromfile(dumped).train_cfg.max_epochs
        marks = marks_of(Path(folder))
        counted = marks[int(WARM_UP * len(marks)) :]
        if len(counted) < 3 or counted[-1].when == counted[0].when:
            raise UserError(f'{len(marks)} lines of the log are too few: give it more --minutes')
        first, last = counted[0], counted[-1]
        seconds = (last.when - first.when).total_seconds() / (last.done - first.done)
        hours = epochs * last.epoch * seconds / 3600
        print(
            f'{1e3 * seconds:.1f} ms an iteration over {last.done - first.done} of them, '
            f'{last.epoch} in an epoch\n'
            f'predicted: {hours:.2f} hours for {epochs} epochs'
        )


if __name__ == '__main__':
    main()
