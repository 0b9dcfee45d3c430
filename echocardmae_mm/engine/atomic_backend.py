"""Files that are whole or not there, whenever the process is killed."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from echocardmae_mm.utils.errors import UserError


class AtomicBackend(LocalBackend):
    """Local files, written under another name and then renamed.

    mmengine's own backend writes in place, so that a kill leaves a truncated checkpoint. Use it by
    ``CheckpointHook(backend_args=dict(backend='atomic'), max_keep_ckpts=2)``: the hook deletes the
    oldest file before it writes the new one, and with two a whole one is always left.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``<filepath>.part``, wait until it is on the disk, and rename it.

        Args:
            obj (bytes): What to write.
            filepath (str | Path): The file; one of that name is replaced.

        Raises:
            UserError: If it cannot be written, such as on a full disk; nothing is left of it.
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
                'Make room and repeat the command with --resume: it goes on from the last '
                'checkpoint'
            ) from error


register_backend('atomic', AtomicBackend, force=True)
