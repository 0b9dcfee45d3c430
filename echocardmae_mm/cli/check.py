"""Check whether training can start on a data set, and list every recording it would skip.

    echocardmae check data/EchoNet-Dynamic --jobs 8
    echocardmae check data/packed/EchoNet-Dynamic

The second command verifies the checksums of a store. The exit status is 0 only if training can
start.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from echocardmae_mm.cli.arguments import add_jobs, command_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.checks import Findings, open_all, open_packed, recognise
from echocardmae_mm.datasets.recordings.packed import DAMAGED

_LEAST_RECORDINGS = 2


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('check', __doc__)
    parser.add_argument(
        'root', type=Path, help='folder of a data set, of recordings, or of a store'
    )
    add_jobs(parser)
    parser.add_argument(
        '--full', action='store_true', help='decode every frame instead of the first and the last'
    )
    return parser.parse_args(argv)


def open_recordings(findings: Findings, full: bool, jobs: int, console: Console) -> None:
    """Open every recording, show progress, and add problems to the findings."""
    usable = lost_labels = damaged = 0
    files, classes, store = [*findings.recordings], findings.label_classes, findings.store
    opened = open_packed(store) if store else open_all(files, classes, full, jobs)
    total = len(findings.recordings)
    for filename, num_frames, reason in track(opened, findings.name, total=total, console=console):
        stated = findings.recordings[filename]
        if num_frames == 1 and stated != 1:
            reason = '1 frame; a clip needs at least 2'
        usable += not reason
        damaged += reason == DAMAGED
        if reason:
            findings.add(filename, reason)
            lost_labels += filename in classes
        elif stated not in (None, num_frames):
            findings.add(filename, f'{stated} frames expected, {num_frames} can be decoded')
    findings.notes.append(f'{usable:,} of {total:,} files can be read')
    if usable < _LEAST_RECORDINGS:
        findings.obstacles.append(f'training needs at least {_LEAST_RECORDINGS} recordings')
    if damaged:
        findings.obstacles.append(
            f'{damaged} recordings of the store are damaged: remove it, and pack the data set again'
        )
    if lost_labels:
        findings.obstacles.append(
            f'segmentation: {lost_labels} label images cannot be used, and end a test: '
            'correct or remove them'
        )


def print_findings(findings: Findings, console: Console) -> None:
    """Print problems first and the verdict last."""
    for where, reason in findings.problems:
        console.print(f'[yellow]{escape(where)}[/]: {escape(reason)}', soft_wrap=True)
    for note in findings.notes:
        console.print(f'  {escape(note)}', soft_wrap=True)
    for obstacle in findings.obstacles:
        console.print(f'[red]{escape(obstacle)}[/]', soft_wrap=True)
    verdict = '[red]cannot start[/]' if findings.obstacles else '[green]can start[/]'
    console.print(
        f'[bold]{findings.name}[/] in {escape(str(findings.root))}: training {verdict}, '
        f'{len(findings.problems)} {"problem" if len(findings.problems) == 1 else "problems"}',
        soft_wrap=True,
    )


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    console = Console(highlight=False)
    found = recognise(args.root)
    for findings in found:
        if not findings.obstacles:
            open_recordings(findings, args.full, args.jobs, console)
        print_findings(findings, console)
    sys.exit(int(any(findings.obstacles for findings in found)))
