"""Check a store of packed recordings."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.datasets.recordings.packed import INDEX
from echocardmae_mm.utils.errors import UserError


def check_store(root: Path) -> Findings | None:
    """List the recordings of a store; None if there is no index of a store."""
    if not (root / INDEX).is_file():
        return None
    findings = Findings('a store of recordings', root)
    try:
        findings.store = PackedStore(root)
    except UserError as error:
        findings.obstacles.append(str(error))
        return findings
    entries = findings.store.recordings.items()
    findings.recordings = {name: entry.get('shape', [None])[0] for name, entry in entries}
    return findings
