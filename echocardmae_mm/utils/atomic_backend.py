"""A file backend for mmengine that writes files completely or not at all."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from echocardmae_mm.utils.atomic_files import atomic_path
from echocardmae_mm.utils.errors import UserError


class AtomicBackend(LocalBackend):
    """Local files, written under another name and then renamed.

    mmengine's own backend writes in place, so killing the process leaves a truncated checkpoint.
    Select this one with
    ``CheckpointHook(backend_args=dict(backend='atomic'), max_keep_ckpts=2)``. Keep at least two
    checkpoints, because the hook deletes the oldest one before it writes the new one.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file; a UserError says that it cannot be written, for example on a full disk."""
        target = Path(filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with atomic_path(target) as part:
                part.write_bytes(obj)
        except OSError as error:
            raise UserError(
                f'{target}: cannot be written ({error.strerror or error})\n'
                'Free some space, then repeat the command with --resume to continue from the last '
                'checkpoint'
            ) from error


register_backend('atomic', AtomicBackend, force=True)
