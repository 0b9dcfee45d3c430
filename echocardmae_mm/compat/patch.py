"""A repair of another package, and the import hook that applies it when its module is imported."""

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
    """What is wrong with a package, and what is done about it.

    Args:
        name (str): One line for a bug report: the package, the fault, the repair.
        issue (str): Address of the public issue.
        modules (tuple[str, ...]): Modules at whose import the repair is applied; a module that the
            package lacks is created empty.
        needed (Callable): Whether the installed package shows the fault. Must not import it.
        apply (Callable): Takes the module and a function that executes the module's own code (and
            does nothing if it has none, or has run already); calls it with whatever the repair does
            before and after.
    """

    name: str
    issue: str
    modules: tuple[str, ...]
    needed: Callable[[], bool]
    apply: Callable[[ModuleType, Execute], None]

    @cached_property
    def active(self) -> bool:
        """Whether the repair acts on what is installed here."""
        return self.needed()


def apply_patches(repairs: Sequence[Patch]) -> None:
    """Apply repairs now to modules that are imported already, and to all others when they are.

    Args:
        repairs (Sequence[Patch]): The repairs.
    """
    by_module = {module: repair for repair in repairs for module in repair.modules}
    for name, repair in by_module.items():
        module = sys.modules.get(name)
        if module is not None and repair.active:
            repair.apply(module, _nothing)
    sys.meta_path.insert(0, RepairFinder(by_module))


def package_folder(package: str) -> Path | None:
    """Folder of a top-level package, without importing it.

    Args:
        package (str): Importable name.

    Returns:
        Path | None: Its folder; None if it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


class RepairFinder(MetaPathFinder):
    """Finds the modules under repair, as the other finders do, and wraps their loaders.

    Args:
        repairs (dict[str, Patch]): Patch of each module, by the module's full name.
    """

    def __init__(self, repairs: dict[str, Patch]) -> None:
        self.repairs = repairs

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Spec of a module under repair; None for every other module."""
        repair = self.repairs.get(fullname)
        if repair is None or not repair.active:
            return None
        spec = self._spec_of_others(fullname, path, target)
        if spec is None:
            spec = ModuleSpec(fullname, None, is_package=True)
        spec.loader = RepairLoader(repair, spec.loader)
        return spec

    def _spec_of_others(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(fullname, path, target)
                if spec is not None and spec.loader is not None:
                    return spec
        return None


class RepairLoader(Loader):
    """Loads a module under its repair, then leaves no trace in it.

    Args:
        repair (Patch): The repair.
        loader (Loader | None): The module's own loader; None for a module that the package lacks.
    """

    def __init__(self, repair: Patch, loader: Loader | None) -> None:
        self.repair = repair
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module, as its own loader creates it."""
        return self.loader.create_module(spec) if self.loader else None

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's own code under the repair."""
        if self.loader is None:
            self.repair.apply(module, _nothing)
            return
        own = module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = own
        self.repair.apply(module, lambda: own.exec_module(module))


def _nothing() -> None:
    pass
