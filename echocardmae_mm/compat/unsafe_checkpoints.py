"""Load mmengine's checkpoints with ``weights_only=True``.

With torch before 2.6, and over http with any torch, a checkpoint can run arbitrary code when
mmengine loads it. With torch 2.6 and later, mmengine 0.10 cannot read its own files. This patch
loads weights only, and allows the few other types that mmengine stores. onedl-mmengine reads its
own files, but allows ``getattr`` and falls back to an unsafe load; it gets the same patch.
"""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

from echocardmae_mm.compat.patch import Execute, Patch
from echocardmae_mm.utils.errors import UserError

# torch raises these for truncated files and for files that are not checkpoints.
DAMAGED = (EOFError, LookupError, UnicodeDecodeError, struct.error)
# Parts of its RuntimeErrors for zip files that are damaged, of another program or of TorchScript.
FOREIGN = ('PytorchStreamReader', 'inline_container', 'TorchScript')
STATISTICS = ('min', 'max', 'mean', 'current')


class RefusedCheckpoint(UserError, pickle.UnpicklingError):
    """A checkpoint is damaged or contains more than weights; none of its code was run.

    Args:
        source (object): File or URL.
        reason (str): torch's message.
    """

    def __init__(self, source: object, reason: str) -> None:
        found = re.search(r'GLOBAL (\S+)', reason)
        super().__init__(
            f"{source} was not loaded: it contains '{found[1]}', which is not a weight.\n"
            'Only tensors and types that mmengine stores are allowed. If you trust the file, save '
            "its weights alone: torch.save({'state_dict': torch.load('FILE', weights_only=False)"
            "['state_dict']}, 'weights.pth')"
            if found
            else f'{source} was not loaded: it is not a checkpoint, or it is damaged.\n'
            'Use another file, or start without one.'
        )


class WeightsOnlyTorch(ModuleType):
    """``torch`` with a replaced ``load``, for mmengine's checkpoint loaders."""

    def __getattr__(self, name: str) -> Any:
        import torch

        return getattr(torch, name)


def weights_only(load: Callable[..., Any], *also: type) -> Callable[..., Any]:
    """Force ``weights_only=True`` on a loader.

    Args:
        load (Callable): ``torch.load`` or ``torch.hub.load_state_dict_from_url``.
        also (type): Types to allow in addition to those that mmengine stores.

    Returns:
        Callable: The loader; raises :class:`RefusedCheckpoint`, or ``UserError`` if a download
        fails.
    """

    def load_weights_only(source: Any, *args: Any, **kwargs: Any) -> Any:
        if is_damaged(source):
            raise RefusedCheckpoint(source, 'a checksum differs')
        try:
            with only_mmengine_types(*also):
                content = load(source, *args, **{**kwargs, 'weights_only': True})
        except URLError as error:
            raise UserError(f'{source}: cannot be downloaded ({error.reason})') from None
        except (pickle.UnpicklingError, *DAMAGED) as error:
            # torch's message advises ways that mmengine's loaders do not offer.
            raise RefusedCheckpoint(source, str(error)) from None
        except RuntimeError as error:
            if any(part in str(error) for part in FOREIGN):
                raise RefusedCheckpoint(source, str(error)) from None
            raise
        if is_damaged(_downloaded(source, kwargs.get('model_dir'))):
            raise RefusedCheckpoint(source, 'a checksum of the downloaded file differs')
        if not is_checkpoint(content):
            raise RefusedCheckpoint(source, 'its content is of another kind')
        return content

    return load_weights_only


def _downloaded(source: Any, folder: str | None) -> Path | None:
    """Where ``torch.hub`` keeps the file of an address."""
    if not isinstance(source, str) or '://' not in source:
        return None
    import torch.hub

    cache = folder or f'{torch.hub.get_dir()}/checkpoints'
    return Path(cache, Path(urlparse(source).path).name)


def is_checkpoint(content: Any) -> bool:
    """Whether an object has the form that mmengine assumes of checkpoints and state dicts."""
    parts = [content]
    if isinstance(content, dict):
        parts += [content[name] for name in ('state_dict', 'meta') if name in content]
    return all(isinstance(part, dict) and all(isinstance(k, str) for k in part) for part in parts)


def is_damaged(source: Any) -> bool:
    """Whether a checkpoint file contradicts its own checksums, which torch does not read."""
    if not isinstance(source, (str, Path)) or not zipfile.is_zipfile(source):
        return False
    try:
        with zipfile.ZipFile(source) as file:
            return file.testzip() is not None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        return True


@contextmanager
def only_mmengine_types(*also: type) -> Iterator[None]:
    """Allow mmengine's types, and others, while a checkpoint is read.

    Types that a user allows stay allowed, except under a name of this list: with ``getattr``,
    which onedl-mmengine allows, a checkpoint reaches any function.
    """
    from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

    before = get_safe_globals()
    ours = {_allowed_name(allowed) for allowed in mmengine_types()}
    clear_safe_globals()
    add_safe_globals([allowed for allowed in before if _allowed_name(allowed) not in ours])
    add_safe_globals([*mmengine_types(), *also])
    try:
        yield
    finally:
        clear_safe_globals()
        add_safe_globals(before)


def _allowed_name(allowed: Any) -> str:
    # Since torch 2.6 an entry may be a pair of an object and its name in the file.
    if isinstance(allowed, tuple):
        return str(allowed[1])
    return f'{allowed.__module__}.{allowed.__name__}'


@cache
def mmengine_types() -> tuple[Any, ...]:
    """Types of mmengine's message hub, as torch's list of safe globals takes them."""
    import _codecs

    import numpy as np
    from mmengine.logging import HistoryBuffer

    def statistic(owner: Any, name: str) -> Any:
        if owner is not HistoryBuffer or name not in STATISTICS:
            raise pickle.UnpicklingError(f'Unsupported GLOBAL builtins.getattr of {name!r}')
        return getattr(owner, name)

    of_numpy: dict[str, Any] = {
        '_reconstruct': np.zeros(0).__reduce__()[0],
        'scalar': np.float64(0).__reduce__()[0],
    }
    numbers = '?' + np.typecodes['AllInteger'] + np.typecodes['Float']
    return (
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *{type(np.dtype(letter)) for letter in numbers},
        *(
            _with_name(function, f'{home}.multiarray.{name}')
            for home in ('numpy.core', 'numpy._core')
            for name, function in of_numpy.items()
        ),
        _with_name(_codecs.encode, '_codecs.encode'),
        _with_name(statistic, 'builtins.getattr'),
    )


def _with_name(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    # torch identifies an allowed global by these attributes; before 2.6 it accepts no other name.
    def renamed(*args: Any) -> Any:
        return function(*args)

    renamed.__module__, renamed.__name__ = name.rsplit('.', 1)
    renamed.__qualname__ = renamed.__name__
    return renamed


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    import torch

    safe_torch = WeightsOnlyTorch('torch')
    safe_torch.load = weights_only(torch.load)  # type: ignore[attr-defined]
    # The loaders of all URL schemes look up these names in this module.
    module.torch = safe_torch  # type: ignore[attr-defined]
    module.load_url = weights_only(module.load_url)  # type: ignore[attr-defined]
    if hasattr(module, '_safe_torch_load'):
        # onedl-mmengine allows getattr here, and reads a refused file without weights_only.
        module._safe_torch_load = safe_torch.load  # type: ignore[attr-defined]


UNSAFE_CHECKPOINTS = Patch(
    name='mmengine: unsafe or failing checkpoint loading; weights_only=True with its types allowed',
    issue='https://github.com/open-mmlab/mmengine/issues/1655',
    modules=('mmengine.runner.checkpoint',),
    needed=lambda: True,
    apply=_apply,
)
