"""Which data sets a folder holds."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.camus import check_camus
from echocardmae_mm.datasets.checks.echonet_dynamic import check_echonet_dynamic
from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.checks.folder import check_folder
from echocardmae_mm.datasets.checks.hmc_qu import check_hmc_qu
from echocardmae_mm.utils.errors import UserError

_CHECKS = (check_echonet_dynamic, check_camus, check_hmc_qu)


def recognise(root: Path) -> list[Findings]:
    """Recognise the data sets of a folder and check their lists.

    Args:
        root (Path): Folder of a data set, or of several, as the phantoms' is.

    Returns:
        list[Findings]: One for each data set; that of a plain folder of recordings if it is none of
        the known ones.

    Raises:
        UserError: If the folder is missing.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder; expected the folder of a data set')
    for folders in ([root], sorted(path for path in root.iterdir() if path.is_dir())):
        found = [findings for folder in folders for check in _CHECKS if (findings := check(folder))]
        if found:
            return found
    return [check_folder(root)]
