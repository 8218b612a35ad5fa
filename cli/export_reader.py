"""Files that Tackboard or Trello exported, read piece by piece: what is not kept of them never fills the memory."""

from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import ijson

from kanban.interchange import trello_reader
from kanban.interchange.export_document import FORMAT

ProgressCallback = Callable[[str, int, int], None]
"""Is told what is done, and how many bytes of how many."""

_TACKBOARD_ARRAYS = ("members", "labels", "lists", "cards", "checklists", "comments", "time_entries")
_EMPTY_CONTAINERS: Mapping[str, type] = {"start_array": list, "start_map": dict}
_MAX_DEPTH = 100
"""Things within things that are gone into: an export has about ten."""


class InvalidJson(Exception):
    """The file is not JSON, breaks off, or holds things within things without an end."""


def read_export(path: Path, progress: ProgressCallback) -> dict[str, Any]:
    """The object in the file: all of an export of our own, or what is read of an export of Trello.

    Whatever else holds something is there, but empty. Raises InvalidJson, OSError.
    """
    try:
        with path.open("rb") as file:
            return _read_document(file, path.stat().st_size, progress)
    except (ijson.JSONError, UnicodeDecodeError):
        raise InvalidJson from None


def _read_document(file: BufferedReader, size: int, progress: ProgressCallback) -> dict[str, Any]:
    """The file is gone through once to see what it is, then once for each array: that takes time, but no memory."""
    found = dict(_top_level_items(_ProgressFile(file, progress, "looking", 0, size)))
    is_ours = found.get("format") == FORMAT
    named = [name for name in (_TACKBOARD_ARRAYS if is_ours else trello_reader.READ_FIELDS) if found.get(name) == []]
    whole = size * len(named)
    for turn, name in enumerate(named):
        items = ijson.items(
            _ProgressFile(file, progress, "reading", size * turn, whole), f"{name}.item", use_float=True
        )
        found[name] = (
            [*items] if is_ours else [trello_reader.select_fields(name, each) for each in items if type(each) is dict]
        )
    if is_ours and found.get("board") == {}:
        file.seek(0)
        found["board"] = next(ijson.items(file, "board", use_float=True))
    return found


def _top_level_items(file: "_ProgressFile") -> Iterator[tuple[str, Any]]:
    """The names in the object, each with its text, number, true, false or null; what holds more is empty."""
    depth, name = 0, None
    for event, value in ijson.basic_parse(file, use_float=True):
        ends = event.startswith("end_")
        if event == "map_key":
            name = value if depth == 1 else name
        elif depth == 1 and name is not None and not ends:
            yield name, _EMPTY_CONTAINERS[event]() if event in _EMPTY_CONTAINERS else value
        depth += (event in _EMPTY_CONTAINERS) - ends
        if depth > _MAX_DEPTH:
            raise InvalidJson


class _ProgressFile:
    """A file from its beginning on, telling how far it is read."""

    def __init__(self, file: BufferedReader, progress: ProgressCallback, step: str, done: int, total: int) -> None:
        file.seek(0)
        self._file = file
        self._progress = progress
        self._step = step
        self._done = done
        self._total = total

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._file.read(size)
        self._done += len(found)
        self._progress(self._step, self._done, self._total)
        return found
