"""A patch for another package, and the import hook that applies it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

Execute = Callable[[], None]


@dataclass(frozen=True)
class Patch:
    """A fault in a package and its correction.

    Args:
        name (str): One line for a bug report: package, fault, correction.
        issue (str): URL of the public issue.
        modules (tuple[str, ...]): Modules to patch on import; a missing module is created empty.
        needed (Callable): Returns whether the installed package has the fault, without importing
            it.
        apply (Callable): Called with the module and ``execute``, which runs the module's own code
            unless it has already run or does not exist.
    """

    name: str
    issue: str
    modules: tuple[str, ...]
    needed: Callable[[], bool]
    apply: Callable[[ModuleType, Execute], None]

    @cached_property
    def active(self) -> bool:
        """Whether the installed package needs the patch."""
        return self.needed()


def apply_patches(patches: Sequence[Patch]) -> None:
    """Patch modules now if they are already imported, otherwise on import."""
    by_module = {module: patch for patch in patches for module in patch.modules}
    for name, patch in by_module.items():
        module = sys.modules.get(name)
        if module is not None and patch.active:
            patch.apply(module, _nothing)
    sys.meta_path.insert(0, PatchFinder(by_module))


def package_folder(package: str) -> Path | None:
    """Find the folder of a top-level package without importing it; None if not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def source_has(package: str, file: str, text: str) -> bool:
    """Whether a file of a package holds a text; false if the package is not installed."""
    folder = package_folder(package)
    return folder is not None and text in (folder / file).read_text(encoding='utf-8')


class PatchFinder(MetaPathFinder):
    """Find the modules to patch with the other finders, and wrap their loaders.

    Args:
        patches (dict[str, Patch]): Patch of each module, by the module's full name.
    """

    def __init__(self, patches: dict[str, Patch]) -> None:
        self.patches = patches

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module to patch, None for any other module."""
        patch = self.patches.get(fullname)
        if patch is None or not patch.active:
            return None
        spec = self._spec_from_others(fullname, path, target)
        if spec is None:
            spec = ModuleSpec(fullname, None, is_package=True)
        spec.loader = PatchLoader(patch, spec.loader)
        return spec

    def _spec_from_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(fullname, path, target)
                if spec is not None and spec.loader is not None:
                    return spec
        return None


class PatchLoader(Loader):
    """Load and patch a module, then restore the module's own loader.

    Args:
        patch (Patch): The patch.
        loader (Loader | None): The module's own loader; None if the package lacks the module.
    """

    def __init__(self, patch: Patch, loader: Loader | None) -> None:
        self.patch = patch
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec) if self.loader else None

    def exec_module(self, module: ModuleType) -> None:
        if self.loader is None:
            self.patch.apply(module, _nothing)
            return
        own = module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = own
        self.patch.apply(module, lambda: own.exec_module(module))


def _nothing() -> None:
    pass
