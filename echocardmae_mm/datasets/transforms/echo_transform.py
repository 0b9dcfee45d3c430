"""The base class of the transforms."""

from __future__ import annotations

from mmcv.transforms import BaseTransform


class EchoTransform(BaseTransform):
    """A transform whose ``repr`` shows its public attributes."""

    def __repr__(self) -> str:
        settings = [f'{name}={value!r}' for name, value in vars(self).items() if name[0] != '_']
        return f'{type(self).__name__}({", ".join(settings)})'
