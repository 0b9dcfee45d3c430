"""Recognise the data sets in a folder and check them."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.camus import check_camus
from echocardmae_mm.datasets.checks.echonet_dynamic import check_echonet_dynamic
from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.checks.hmc_qu import check_hmc_qu
from echocardmae_mm.datasets.checks.store import check_store
from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.utils.errors import UserError

_CHECKS = (check_store, check_echonet_dynamic, check_camus, check_hmc_qu)


def recognise(root: Path) -> list[Findings]:
    """Check the lists of each data set in a folder; the folder may be a store.

    Returns:
        list[Findings]: One per known data set; if there is none, one for all recordings.

    Raises:
        UserError: If there is no such folder.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder; expected the folder of a data set')
    for folders in ([root], sorted(path for path in root.iterdir() if path.is_dir())):
        found = [findings for folder in folders for check in _CHECKS if (findings := check(folder))]
        if found:
            return found
    findings = Findings('a folder of recordings', root)
    findings.recordings = dict.fromkeys(map(str, find_recordings(str(root))))
    findings.notes.append(f'{len(findings.recordings):,} recordings')
    return [findings]
