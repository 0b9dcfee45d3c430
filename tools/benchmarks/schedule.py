"""Predict the duration of a config's full training from a few minutes of it.

    python tools/benchmarks/schedule.py configs/pretrain_echo.py --minutes 5 --amp --compile

Runs tools/train.py, so that reading, preprocessing, logging, the changes between epochs, and the
checkpoints and validations that fall into these minutes are included. The first quarter of the
logged lines is left out as warm-up.
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

from echocardmae_mm.cli.arguments import tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.errors import UserError

WARM_UP = 0.25
_LINE = re.compile(r'^(\S+ \S+) - .* Epoch\(train\) +\[(\d+)\]\[ *(\d+)/(\d+)\]', re.MULTILINE)


class Mark(NamedTuple):
    """A line of the log: its time, the iterations done, and the iterations per epoch."""

    when: datetime
    done: int
    epoch: int


def parse_args() -> tuple[argparse.Namespace, list[str]]:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--minutes', type=float, default=5, help='duration of the training')
    return parser.parse_known_args()


def read_progress(work_dir: Path) -> list[Mark]:
    """Read times and iterations from the log."""
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
    """Train for a few minutes, then stop with SIGTERM."""
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
        args, train_arguments = parse_args()
        if not 0 < args.minutes < math.inf:
            raise UserError(f'--minutes {args.minutes}: expected a number above 0')
        tool = [sys.executable, '-m', 'echocardmae_mm', 'train', args.config, '--work-dir', folder]
        train_for(args.minutes, [*tool, *train_arguments])
        (dumped,) = Path(folder).glob('*.py')
        epochs = Config.fromfile(dumped).train_cfg.max_epochs
        marks = read_progress(Path(folder))
        counted = marks[int(WARM_UP * len(marks)) :]
        if len(counted) < 3 or counted[-1].when == counted[0].when:
            raise UserError(f'the log has only {len(marks)} lines of progress; increase --minutes')
        first, last = counted[0], counted[-1]
        seconds = (last.when - first.when).total_seconds() / (last.done - first.done)
        hours = epochs * last.epoch * seconds / 3600
        print(
            f'{1e3 * seconds:.1f} ms per iteration over {last.done - first.done} iterations, '
            f'{last.epoch} per epoch\n'
            f'predicted: {hours:.2f} hours for {epochs} epochs'
        )


if __name__ == '__main__':
    main()
