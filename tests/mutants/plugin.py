"""A pytest plugin that runs the tests with one mutant: `MUTANT_FILE` is imported from the text in `MUTANT_SOURCE`.

The work tree stays as it is, so that several mutants can be tried at once.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[2]
FILE = ROOT / os.environ["MUTANT_FILE"]
SOURCE = Path(os.environ["MUTANT_SOURCE"]).read_text()
MODULE = os.environ["MUTANT_FILE"].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(SOURCE, self.get_filename(fullname), "exec", dont_inherit=True)
        return code


class _Finder:
    @staticmethod
    def find_spec(name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        return spec_from_file_location(name, FILE, loader=_Loader(name, str(FILE)))


sys.meta_path.insert(0, _Finder)
