"""Modules of a package that are imported without running the package.

Importing anything of connexion runs `connexion/__init__.py`, which loads a test client and an application of each of
its flavours; two of its modules import HTTP clients that are for tokens and references at addresses elsewhere. None
of that is ever used here (docs/decisions/0014).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any


@contextmanager
def import_without_package_init(package: str, *, stubs: tuple[str, ...]) -> Iterator[None]:
    """Here, modules of the package can be imported without running it, or the packages that they could do `without`.

    Afterwards nobody else can tell. The first look at anything of the package runs it, the same modules in it; whoever
    imports one of the others gets it. What has been imported before stays as it is.
    """
    spec = find_spec(package) if package not in sys.modules else None
    if spec is None:
        yield
        return
    hollow = module_from_spec(spec)
    stand_ins = {name: ModuleType(name) for name in stubs if name not in sys.modules}
    sys.modules.update({package: hollow, **stand_ins})
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]
        parts = {name: part for name, part in vars(hollow).items() if f"{package}.{name}" in sys.modules}
        for name in parts:
            # The package may mean something else by the name of a module: when it has run, one can tell.
            delattr(hollow, name)
        hollow.__getattr__ = _DeferredPackage(hollow, parts)  # type: ignore[method-assign] # PEP 562.


class _DeferredPackage:
    """Runs a package when something of it is looked at, once, and finds that in it."""

    def __init__(self, package: ModuleType, submodules: dict[str, Any]) -> None:
        self._package = package
        self._submodules = submodules
        self._lock = RLock()
        self._has_run = False

    def __call__(self, name: str) -> Any:
        here = vars(self._package)
        if not name.startswith("__"):
            with self._lock:
                self._run_once(here)
        if name not in here:
            raise AttributeError(f"module {self._package.__name__!r} has no attribute {name!r}")
        return here[name]

    def _run_once(self, namespace: dict[str, Any]) -> None:
        spec = self._package.__spec__
        if not self._has_run and spec and spec.loader:
            self._has_run = True
            spec.loader.exec_module(self._package)
            for name, part in self._submodules.items():
                namespace.setdefault(name, part)
