"""What tools/train.py and tools/test.py have in common; it needs nothing but mmengine."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config

NO_GPU = not torch.cuda.is_available()


def choose_work_dir(config: Config, args: argparse.Namespace) -> str:
    """The command line's, else the config's, else work_dirs/<the config's place below configs/>."""
    if args.work_dir or config.get('work_dir'):
        return args.work_dir or config.work_dir
    path = Path(args.config).resolve().with_suffix('')
    parts = path.parts
    below = parts[parts.index('configs') + 1 :] if 'configs' in parts else (path.name,)
    return str(Path('work_dirs', *below))


def join_processes(config: Config) -> None:
    """Joins torchrun's processes where there is no GPU: by itself mmengine does so through CUDA."""
    if config.launcher == 'pytorch' and NO_GPU:
        torch.distributed.init_process_group('gloo')
        config.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
        )


@contextmanager
def no_traceback_for_mistakes() -> Iterator[None]:
    """Ends the program with one or two lines where the error is a person's mistake."""
    try:
        yield
    except Exception as error:
        if getattr(error, 'is_user_error', False) or isinstance(error, FileNotFoundError):
            sys.exit(f'error: {error}')
        if isinstance(error, KeyError) and 'registry' in str(error):
            sys.exit('error: ' + error.args[0].split('. Please check')[0])
        raise
