"""Write an export to a file while its arrays are still growing, without holding them in memory."""

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self, TextIO

from kanban.interchange.export_document import JsonObject

_ARRAYS = ("cards", "checklists", "comments", "time_entries")


class ExportWriter:
    """Collect the arrays of an export in temporary files next to the file to write. To be used with `with`."""

    def __init__(self, folder: Path) -> None:
        self.card_count = 0
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        self._exit_stack = ExitStack()

    def __enter__(self) -> Self:
        for array in _ARRAYS:
            file = TemporaryFile("w+", encoding="utf-8", newline="", dir=self._folder)
            self._files[array] = self._exit_stack.enter_context(file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit_stack.close()

    def add(self, arrays: Mapping[str, Sequence[JsonObject]]) -> None:
        """Append objects to arrays."""
        for array, values in arrays.items():
            for value in values:
                file = self._files[array]
                file.write("," if file.tell() else "")
                file.write(f"\n  {_indent(value, 2)}")
        self.card_count += len(arrays.get("cards", ()))

    def write(self, file: TextIO, head: JsonObject, tail: JsonObject) -> None:
        """Write the whole object: the properties of `head`, the arrays, the properties of `tail`."""
        separator = "{"
        for name, value in head.items():
            file.write(f'{separator}\n "{name}": {_indent(value, 1)}')
            separator = ","
        for array, content in self._files.items():
            is_empty = content.tell() == 0
            file.write(f'{separator}\n "{array}": [')
            content.seek(0)
            shutil.copyfileobj(content, file)
            file.write("]" if is_empty else "\n ]")
        for name, value in tail.items():
            file.write(f'{separator}\n "{name}": {_indent(value, 1)}')
        file.write("\n}")


def _indent(value: Any, depth: int) -> str:
    """Return JSON whose further lines are indented by `depth` blanks. No text in JSON has a line break."""
    return json.dumps(value, ensure_ascii=False, indent=1).replace("\n", "\n" + " " * depth)
