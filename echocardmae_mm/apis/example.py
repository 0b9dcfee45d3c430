"""Synthetic bundles and recordings for trying out prediction."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi
from echocardmae_mm.utils.atomic_files import atomic_path

#: Bundles that the package carries, trained by ``make demo``.
BUNDLES = [Path(__file__).parent / 'example' / name for name in ('ef', 'seg')]
_SCREENS = ('echonet', 'echonet', 'clip', 'vendor')
_SEED = 2026


def write_example_recordings(folder: Path) -> None:
    """Make four synthetic recordings: two like EchoNet-Dynamic's, two screens of scanners.

    Args:
        folder (Path): Receives the files; those that exist are kept.
    """
    for index, screen in enumerate(_SCREENS, start=1):
        path = folder / f'{index}_{screen}.avi'
        if not path.is_file():
            phantom = make_phantom([_SEED, index], screen=screen, num_frames=110)
            with atomic_path(path, keep_suffix=True) as part:
                write_avi(part, phantom.frames, phantom.fps)
