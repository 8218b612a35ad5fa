"""Import parts of a package without what they import and never use.

Importing any module of connexion loads YAML, Jinja, jsonschema, werkzeug, two HTTP clients and an application class for
each of its flavours; of its modules, `contract` uses those that resolve operations and build security
(docs/decisions/0023). Importing the AWS SDK's signer loads the SDK's HTTP client (docs/decisions/0024). Such modules
are imported as a private copy: afterwards `sys.modules` is as before, so any other code that imports the package gets
the whole of it, in any order of imports.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


@contextmanager
def import_trimmed(
    package: str, *, placeholders: Mapping[str, Mapping[str, Any]], without_init: Iterable[str] = ()
) -> Iterator[None]:
    """Return a context in which modules of `package` are imported as a private copy.

    The packages in `without_init` are entered without running their `__init__.py`. The modules in `placeholders`, with
    all their submodules, are replaced unless they are loaded already. A placeholder has the given names, and any other
    name means nothing in it.

    Not safe while other threads import: they would get placeholders.
    """
    loaded = {name: module for name, module in sys.modules.items() if _is_within(name, {package})}
    for name in loaded:
        del sys.modules[name]
    finder = _PlaceholderFinder(placeholders)
    sys.meta_path.insert(0, finder)
    try:
        for name in without_init:
            spec = find_spec(name)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            sys.modules[name] = module_from_spec(spec)
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in {*finder.created, *(name for name in sys.modules if _is_within(name, {package}))}:
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if parent in sys.modules and child in vars(sys.modules[parent]):
                delattr(sys.modules[parent], child)
        sys.modules.update(loaded)


def _is_within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class _PlaceholderFinder:
    """Find a placeholder for each module that is left out (importlib.abc.MetaPathFinder and Loader)."""

    def __init__(self, placeholders: Mapping[str, Mapping[str, Any]]) -> None:
        self._placeholders = placeholders
        self.created: list[str] = []

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a placeholder; None for a module that is not left out."""
        del path, target
        is_left_out = _is_within(name, self._placeholders)
        return ModuleSpec(name, self, is_package=True) if is_left_out else None  # type: ignore[arg-type] # duck-typed.

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Create the placeholder of a module."""
        self.created.append(spec.name)
        module = _PlaceholderModule(spec.name)
        vars(module).update(self._placeholders.get(spec.name, {}))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a placeholder has no code."""


class _PlaceholderModule(ModuleType):
    """A module in which every name exists and means nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class _NothingType(type):
    """The type of `_Nothing`: its attributes and items are `_Nothing` again."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __getitem__(cls, key: object) -> Any:
        return cls


class _Nothing(Exception, metaclass=_NothingType):
    """What modules get that import a name from a placeholder. They may subclass, call and subscript it at import."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()
