"""Packages that are loaded when something in them is used, and not merely because someone may.

Importing anything of connexion loads an HTTP client, a test client and a server for each of its flavours, which takes
longer than all the rest of a start and is never used here.
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


def postpone(*names: str) -> None:
    """Let these packages be imported without running them. The first use of anything in one of them runs it.

    Their modules can be imported as ever. A package that has been imported already is let be; one that isn't installed
    is missed only when something in it is used.
    """
    for name in names:
        if name not in sys.modules:
            spec = find_spec(name)
            package = module_from_spec(spec) if spec else ModuleType(name)
            package.__getattr__ = _Postponed(package)  # type: ignore[method-assign] # PEP 562.
            sys.modules[name] = package


class _Postponed:
    """Finds what a package that hasn't run yet doesn't have: a module of it, or what it has when it has run."""

    def __init__(self, package: ModuleType) -> None:
        self._package = package

    def __call__(self, attribute: str) -> Any:
        package = self._package
        spec = package.__spec__
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No module named {package.__name__!r}", name=package.__name__)
        if find_spec(f"{package.__name__}.{attribute}"):
            return importlib.import_module(f"{package.__name__}.{attribute}")
        if vars(package).pop("__getattr__", None):
            spec.loader.exec_module(package)
        return getattr(package, attribute)
