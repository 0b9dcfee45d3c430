"""A file backend for mmengine that writes files completely or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from echocardmae_mm.utils.errors import UserError


class AtomicBackend(LocalBackend):
    """Local files, written under another name and then renamed.

    mmengine's own backend writes in place, so killing the process leaves a truncated checkpoint.
    Select this one with
    ``CheckpointHook(backend_args=dict(backend='atomic'), max_keep_ckpts=2)``. Keep at least two
    checkpoints, because the hook deletes the oldest one before it writes the new one.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``<filepath>.part``, flush it to disk and rename it.

        Raises:
            UserError: If the file cannot be written, for example on a full disk; the partial file
                is removed.
        """
        target = Path(filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f'{target.name}.part')
        try:
            with part.open('wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UserError(
                f'{target}: cannot be written ({error.strerror or error})\n'
                'Free some space, then repeat the command with --resume to continue from the last '
                'checkpoint'
            ) from error


register_backend('atomic', AtomicBackend, force=True)
