"""Synthetic bundles and recordings for trying out prediction."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi
from echocardmae_mm.utils.atomic_files import atomic_write_text

#: Bundles that the package carries, trained by ``make demo``.
BUNDLES = [Path(__file__).parent / 'example' / name for name in ('ef', 'seg')]
_SCREENS = ('echonet', 'echonet', 'clip', 'vendor')
_SEED = 2026


def write_example_recordings(folder: Path) -> Path:
    """Make four synthetic recordings: two like EchoNet-Dynamic's, two screens of scanners.

    Args:
        folder (Path): Receives the files, unless they are complete.

    Returns:
        Path: List of the recordings with the size of their pixels, which AVI files do not hold.
    """
    table = folder / 'recordings.csv'
    if table.is_file():
        return table
    rows = ['path,spacing']
    for index, screen in enumerate(_SCREENS, start=1):
        path = folder / f'{index}_{screen}.avi'
        phantom = make_phantom([_SEED, index], screen=screen, num_frames=110)
        write_avi(path, phantom.frames, phantom.fps)
        rows.append(f'{path.name},{phantom.spacing[0]:.4f} {phantom.spacing[1]:.4f}')
    atomic_write_text(table, '\n'.join([*rows, '']))
    return table
