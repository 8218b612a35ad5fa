"""Read exports of Tackboard and Trello piece by piece: what is not needed is never held in memory."""

from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import ijson

from kanban.interchange import trello_reader
from kanban.interchange.export_document import FORMAT

ProgressCallback = Callable[[str, int, int], None]
"""Called with the step, the bytes done, and the bytes in all."""

_TACKBOARD_ARRAYS = ("members", "labels", "lists", "cards", "checklists", "comments", "time_entries")
_EMPTY_CONTAINERS: Mapping[str, type] = {"start_array": list, "start_map": dict}
_MAX_DEPTH = 100
"""The deepest nesting that is accepted: an export has about ten levels."""


class InvalidJson(Exception):
    """Raised when the file is not JSON, is truncated, or is nested too deeply."""


def read_export(path: Path, progress: ProgressCallback) -> dict[str, Any]:
    """Return the object in the file: all of an export of Tackboard, or what is needed of an export of Trello.

    Other arrays and objects of Trello's are empty. Raises InvalidJson, OSError.
    """
    try:
        with path.open("rb") as file:
            return _read_document(file, path.stat().st_size, progress)
    except (ijson.JSONError, UnicodeDecodeError):
        raise InvalidJson from None


def _read_document(file: BufferedReader, size: int, progress: ProgressCallback) -> dict[str, Any]:
    """Read the file once to see what it is, then once for each array, which takes time but little memory."""
    document = dict(_top_level_items(_ProgressFile(file, progress, "inspecting", 0, size)))
    is_own = document.get("format") == FORMAT
    names = _TACKBOARD_ARRAYS if is_own else trello_reader.READ_FIELDS
    arrays = [name for name in names if document.get(name) == []]
    total = size * len(arrays)
    for index, name in enumerate(arrays):
        progress_file = _ProgressFile(file, progress, "reading", size * index, total)
        items = ijson.items(progress_file, f"{name}.item", use_float=True)
        document[name] = (
            [*items] if is_own else [trello_reader.select_fields(name, item) for item in items if type(item) is dict]
        )
    if is_own and document.get("board") == {}:
        file.seek(0)
        document["board"] = next(ijson.items(file, "board", use_float=True))
    return document


def _top_level_items(file: "_ProgressFile") -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the top-level object; arrays and objects come empty."""
    depth, name = 0, None
    for event, value in ijson.basic_parse(file, use_float=True):
        is_end = event.startswith("end_")
        if event == "map_key":
            name = value if depth == 1 else name
        elif depth == 1 and name is not None and not is_end:
            yield name, _EMPTY_CONTAINERS[event]() if event in _EMPTY_CONTAINERS else value
        depth += (event in _EMPTY_CONTAINERS) - is_end
        if depth > _MAX_DEPTH:
            raise InvalidJson


class _ProgressFile:
    """A file, read from its beginning, that reports how far it is read."""

    def __init__(self, file: BufferedReader, progress: ProgressCallback, step: str, done: int, total: int) -> None:
        file.seek(0)
        self._file = file
        self._progress = progress
        self._step = step
        self._done = done
        self._total = total

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._file.read(size)
        self._done += len(data)
        self._progress(self._step, self._done, self._total)
        return data
