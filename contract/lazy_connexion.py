"""Import modules of a package without running its `__init__.py`.

Importing any module of connexion runs `connexion/__init__.py`, which loads a test client and an application
class for each of its flavours. Two of its modules import HTTP clients, for tokens and references at remote URLs. None
of that is used here (docs/decisions/0014).
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
    """Return a context in which modules of `package` can be imported without its `__init__.py`.

    The packages in `stubs` are replaced by empty modules within the context.

    Other code can't notice this afterwards: the first access to an attribute of the package runs its `__init__.py`
    with the modules imported so far, and the packages in `stubs` are imported as usual. A package that was imported
    before stays as it is.
    """
    spec = find_spec(package) if package not in sys.modules else None
    if spec is None:
        yield
        return
    deferred = module_from_spec(spec)
    stub_modules = {name: ModuleType(name) for name in stubs if name not in sys.modules}
    sys.modules.update({package: deferred, **stub_modules})
    try:
        yield
    finally:
        for name in stub_modules:
            del sys.modules[name]
        submodules = {
            name: submodule for name, submodule in vars(deferred).items() if f"{package}.{name}" in sys.modules
        }
        for name in submodules:
            # The package may give the name of a module to something else. That is known only once it has run.
            delattr(deferred, name)
        deferred.__getattr__ = _DeferredPackage(deferred, submodules)  # type: ignore[method-assign] # PEP 562.


class _DeferredPackage:
    """Run a package at the first access to one of its attributes (PEP 562), then return the attribute."""

    def __init__(self, package: ModuleType, submodules: dict[str, Any]) -> None:
        self._package = package
        self._submodules = submodules
        self._lock = RLock()
        self._has_run = False

    def __call__(self, name: str) -> Any:
        namespace = vars(self._package)
        if not name.startswith("__"):
            with self._lock:
                self._run_once(namespace)
        if name not in namespace:
            raise AttributeError(f"module {self._package.__name__!r} has no attribute {name!r}")
        return namespace[name]

    def _run_once(self, namespace: dict[str, Any]) -> None:
        spec = self._package.__spec__
        if not self._has_run and spec and spec.loader:
            self._has_run = True
            spec.loader.exec_module(self._package)
            for name, submodule in self._submodules.items():
                namespace.setdefault(name, submodule)
