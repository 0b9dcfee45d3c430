"""Say whether training can start on a data set, and list each recording that it would skip.

python tools/check_data.py data/EchoNet-Dynamic --jobs 8
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from argument_types import at_least
from mistakes import report_user_errors
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from echocardmae_mm.datasets.checks import Findings, open_all, recognise

_LEAST_RECORDINGS = 2


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('root', type=Path, help='folder of a data set, or of recordings')
    parser.add_argument('--jobs', type=at_least(1), default=os.cpu_count() or 1, help='processes')
    parser.add_argument('--full', action='store_true', help='decode all frames, not two a file')
    return parser.parse_args()


def open_recordings(findings: Findings, full: bool, jobs: int, console: Console) -> None:
    """Open every recording with a progress bar, and add what is wrong to the findings."""
    usable = lost_in_validation = 0
    opened = open_all([*findings.recordings], full, jobs)
    with Progress(console=console) as progress:
        task = progress.add_task(findings.name, total=len(findings.recordings))
        for filename, num_frames, reason in opened:
            stated = findings.recordings[filename]
            if num_frames == 1 and stated != 1:
                reason = '1 frame; a clip needs at least 2'
            usable += not reason
            if reason:
                findings.add(filename, reason)
                lost_in_validation += filename in findings.validation
            elif stated not in (None, num_frames):
                findings.add(filename, f'{stated} frames are stated, {num_frames} can be decoded')
            progress.advance(task)
    findings.notes.append(f'{usable:,} of {len(findings.recordings):,} files can be read')
    if usable < _LEAST_RECORDINGS:
        findings.obstacles.append(f'training needs at least {_LEAST_RECORDINGS} recordings')
    if lost_in_validation:
        findings.obstacles.append(
            f'{lost_in_validation} of the validation set cannot be read, and a validation skips '
            'none: take them out of the list, or train with --no-validate'
        )


def tell(findings: Findings, console: Console) -> None:
    """Print the findings, problems first, the verdict last."""
    for where, reason in findings.problems:
        console.print(f'[yellow]{escape(where)}[/]: {escape(reason)}', soft_wrap=True)
    for note in findings.notes:
        console.print(f'  {escape(note)}', soft_wrap=True)
    for obstacle in findings.obstacles:
        console.print(f'[red]{escape(obstacle)}[/]', soft_wrap=True)
    verdict = '[red]cannot start[/]' if findings.obstacles else '[green]can start[/]'
    console.print(
        f'[bold]{findings.name}[/] in {escape(str(findings.root))}: training {verdict}, '
        f'{len(findings.problems)} problems',
        soft_wrap=True,
    )


@report_user_errors
def main() -> None:
    """Check; the exit status is 0 only if training can start."""
    args = parse_args()
    console = Console(highlight=False)
    found = recognise(args.root)
    for findings in found:
        if not findings.obstacles:
            open_recordings(findings, args.full, args.jobs, console)
        tell(findings, console)
    sys.exit(int(any(findings.obstacles for findings in found)))


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit('stopped')
