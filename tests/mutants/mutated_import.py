"""Import one module with a mutant in it. The work tree stays as it is, so that several mutants can be tried at once."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType

from tests.mutants.operators import ROOT, Mutant


def mutate_import(mutant: Mutant) -> None:
    """Let the mutant's module be imported with the mutant; nobody may have imported it before."""
    module = mutant.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    if module in sys.modules:
        raise RuntimeError(f"{module} is imported already: its mutants can't be tried.")
    sys.meta_path.insert(0, _Finder(module, mutant))


class _Loader(SourceFileLoader):
    def __init__(self, module: str, mutant: Mutant) -> None:
        super().__init__(module, str(ROOT / mutant.file))
        self._source = mutant.source()

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)
        return code


@dataclass(frozen=True)
class _Finder:
    module: str
    mutant: Mutant

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.module:
            return None
        path = ROOT / self.mutant.file
        return spec_from_file_location(name, path, loader=_Loader(name, self.mutant))
