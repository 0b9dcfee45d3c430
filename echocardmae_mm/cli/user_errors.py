"""Report user errors in one or two lines, without a traceback."""

from __future__ import annotations

import errno
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from io import TextIOWrapper
from typing import ParamSpec

import torch

from echocardmae_mm.utils.errors import UserError

#: Errors of a path that the user chose.
UNUSABLE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EFBIG,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}

#: Errors of a component that is built with values that it cannot take.
BUILD_ERRORS = (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError)
#: Packages whose components are known to work; errors of others keep their traceback.
PACKAGES = {
    'echocardmae_mm',
    'mmaction',
    'mmcv',
    'mmengine',
    'mmpretrain',
    'mmseg',
    'timm',
    'torch',
}

Arguments = ParamSpec('Arguments')


def report_user_errors(main: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Decorate a main function to exit with a short message and status 1 on user errors."""

    @wraps(main)
    def reporting(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        _print_every_name()
        try:
            try:
                main(*args, **kwargs)
                _destroy_process_groups()
            except SystemExit as leaving:
                traceback.clear_frames(leaving.__traceback__)
                _destroy_process_groups()
                raise
            except Exception as error:
                _report(error)
                raise
        except RuntimeError as error:  # torch's SIGCHLD handler may raise even while reporting
            _report(error)
            raise

    return reporting


def _print_every_name() -> None:
    """Let ``print`` escape names of files that are not UTF-8, as it does on stderr."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == 'strict':
        sys.stdout.reconfigure(errors='backslashreplace')


@contextmanager
def repeatable() -> Iterator[None]:
    """Tell a user who interrupts the block that repeating the command continues it."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt('repeat the command to continue') from None


def _destroy_process_groups() -> None:
    # Destroy process groups before shutdown; a tensor released by their threads during shutdown
    # aborts Python.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()


def _report(error: Exception) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if _lacks_shared_memory(error):
        sys.exit(
            'error: /dev/shm is full; the workers of the data loader send batches through it\n'
            'Enlarge it (docker run --shm-size=8g), or set num_workers=0 and '
            'persistent_workers=False of the dataloaders'
        )
    if _worker_died(error):
        sys.exit(
            'error: a worker process was killed, perhaps because memory ran out\n'
            'Repeat the command with fewer workers (--jobs, or num_workers of the dataloader); '
            'continue training with --resume'
        )
    if isinstance(error, (UserError, FileNotFoundError)):
        sys.exit(f'error: {error}')
    if isinstance(error, OSError) and error.errno in UNUSABLE:
        file = f'{error.filename}: ' if error.filename else ''  # a failed write has no file name
        sys.exit(f'error: {file}{error.strerror}')
    if isinstance(error, AttributeError) and str(error).startswith("'ConfigDict' object has no"):
        name = str(error).split("'")[-2]
        sys.exit(f'error: the config has no {name} where this command needs it')
    if isinstance(error, ValueError) and 'loaded state dict' in str(error):
        sys.exit(
            'error: the checkpoint belongs to another model or optimizer than the config\n'
            'Load only its weights: set load_from, or init_cfg of a part of the model'
        )
    if address := _checkpoint_being_loaded(error):
        reason = (str(error).splitlines() or [''])[0]
        sys.exit(
            f'error: {address}: cannot be loaded ({type(error).__name__}: {reason})\n'
            'Download it, and name the file'
        )
    built, package = _component_being_built(error)
    if built and isinstance(error, TypeError) and 'unexpected keyword' in str(error):
        sys.exit(f'error: {error}\nCheck the name of this setting in the config')
    if package in PACKAGES and isinstance(error, BUILD_ERRORS):
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        sys.exit(f'error: {built}: {reason}\nCheck its settings in the config')
    if isinstance(error, KeyError) and 'registry' in str(error):
        sys.exit('error: ' + error.args[0].partition('. Please check')[0])


def _checkpoint_being_loaded(error: Exception) -> str:
    """Address of the checkpoint that mmengine was loading from elsewhere; '' if none."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        filename = frame.f_locals.get('filename')
        if frame.f_code.co_name == 'load_checkpoint' and '://' in str(filename):
            return str(filename)
    return ''


def _component_being_built(error: Exception) -> tuple[str, str]:
    """Name and package of the innermost component that mmengine was building; '' if none."""
    built = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == 'build_from_cfg':
            built = frame.f_locals.get('obj_cls')
    if built is None:
        return '', ''
    return getattr(built, '__name__', str(built)), built.__module__.partition('.')[0]


def _lacks_shared_memory(error: Exception) -> bool:
    """Whether a process could not allocate or touch shared memory."""
    signs = ('unable to allocate shared memory', 'killed by signal: Bus error')
    return any(sign in str(cause) for cause in _causes(error) for sign in signs)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # Torch raises wherever this process is, so other handlers may have wrapped the error.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _worker_died(error: Exception) -> bool:
    """Whether torch noticed a dead worker, or failed to fetch a batch from one."""
    if any(str(cause).startswith('DataLoader worker (pid') for cause in _causes(error)):
        return True
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    fetched = any(file.endswith('torch/multiprocessing/reductions.py') for file in files)
    return fetched and isinstance(error, (OSError, EOFError))
