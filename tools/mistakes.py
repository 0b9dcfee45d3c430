"""How tools end: a person's mistake costs one or two lines, and no traceback."""

import gc
import signal
import sys
import traceback
from collections.abc import Callable
from errno import EACCES, EEXIST, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from functools import wraps

import torch

#: What the system says of a place that a person named for results.
NOT_TO_BE_WRITTEN = {EACCES, EEXIST, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS}


class UserError(Exception):
    """A mistake on the command line: one or two lines, and no traceback."""

    is_user_error = True


def report_user_errors(main: Callable[[], None]) -> Callable[[], None]:
    """End a program with one or two lines where its error is a person's mistake."""

    @wraps(main)
    def told() -> None:
        try:
            try:
                main()
                _part_processes()
            except SystemExit as leaving:
                traceback.clear_frames(leaving.__traceback__)
                _part_processes()
                raise
            except Exception as error:
                _tell(error)
                raise
        except RuntimeError as error:  # torch's handler of SIGCHLD raises anywhere, there too
            _tell(error)
            raise

    return told


def _part_processes() -> None:
    # A thread of a process group that lets go of a tensor while Python ends aborts the process.
    # Each group waits for its threads when nothing holds it, as the runner does.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()


def _tell(error: Exception) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if _lost_a_loading_process(error):
        sys.exit(
            'error: a loading process was killed, perhaps for want of memory\n'
            'Repeat the command with fewer of them (--jobs, or num_workers of the dataloader); '
            'a training goes on by --resume'
        )
    # A loading process hands its error on as a text that ends with the traceback.
    _, in_loader, named = str(error).rpartition('\nechocardmae_mm.errors.')
    if in_loader:
        sys.exit('error: ' + named.partition(': ')[2].strip())
    if getattr(error, 'is_user_error', False) or isinstance(error, FileNotFoundError):
        sys.exit(f'error: {error}')
    if isinstance(error, OSError) and error.errno in NOT_TO_BE_WRITTEN:
        where = f'{error.filename}: ' if error.filename else ''  # A write does not know its file.
        sys.exit(f'error: {where}{error.strerror}')
    if isinstance(error, ValueError) and 'loaded state dict' in str(error):
        sys.exit(
            "error: the checkpoint is of another model or optimizer than the config's\n"
            'Take its weights by load_from, or by init_cfg of a part'
        )
    if isinstance(error, KeyError) and 'registry' in str(error):
        sys.exit('error: ' + error.args[0].partition('. Please check')[0])


def _lost_a_loading_process(error: Exception) -> bool:
    """Whether torch noticed it, or failed to fetch a batch that the process had ready."""
    # torch notices it wherever this process is, and others may have caught that.
    cause: BaseException | None = error
    while cause is not None:
        if str(cause).startswith('DataLoader worker (pid'):
            return True
        cause = cause.__cause__ or cause.__context__
    places = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    fetched = any(place.endswith('torch/multiprocessing/reductions.py') for place in places)
    return fetched and isinstance(error, (OSError, EOFError))
