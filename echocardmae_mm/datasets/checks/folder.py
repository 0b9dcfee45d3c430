"""A plain folder of recordings."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.recording_lists import find_recordings


def check_folder(root: Path) -> Findings:
    """Find the recordings that ``EchoVideoDataset`` would read.

    Args:
        root (Path): The folder.

    Returns:
        Findings: All recordings in it and in its folders.
    """
    findings = Findings('a folder of recordings', root)
    findings.recordings = dict.fromkeys(map(str, find_recordings(str(root))))
    findings.notes.append(f'{len(findings.recordings):,} recordings')
    return findings
