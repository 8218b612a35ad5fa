"""A tree of routes, which finds a route by the segments of a path in a time that does not grow with their number."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Optional, TypeVar

_Target = TypeVar("_Target")
_PATH_PARAMETER = re.compile(r"\{(.*?)\}")
_WHOLE_SEGMENT = re.compile(r"\{[^{}]*\}")


class _PathItem(Generic[_Target]):
    """What the document has at a path template: targets by method, and how to find the path parameters."""

    __slots__ = ("by_method", "names", "pattern", "positions", "precedence")

    def __init__(self, template: str, segments: Sequence[str]) -> None:
        """Take a template and its segments, the first of which is what comes before the first slash."""
        self.by_method: dict[str, _Target] = {}
        self.names = tuple(_PATH_PARAMETER.findall(template))
        self.positions = [(index, segment[1:-1]) for index, segment in enumerate(segments) if "{" in segment]
        """Where the parameters are, if each of them is a whole segment."""
        is_simple = all("{" not in segment or _WHOLE_SEGMENT.fullmatch(segment) for segment in segments)
        self.pattern = None if is_simple else re.compile(re.sub(r"\\\{.*?\\\}", "([^/]+)", re.escape(template)))
        """Matches the whole path and each parameter, if one of the segments has more than a parameter."""
        self.precedence = ["{" not in segment for segment in segments]
        """Of the templates that match a path, the greatest wins: from the left, words win over parameters."""

    def read_parameters(self, path: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters as text; None if the path does not match."""
        if self.pattern is None:
            return {name: segments[index] for index, name in self.positions}
        match = self.pattern.fullmatch(path)
        return dict(zip(self.names, match.groups(), strict=True)) if match else None


@dataclass(slots=True)
class _Node(Generic[_Target]):
    """What may follow the segments so far: words, anything else as a path parameter, or the end of the path.

    A word that a path parameter matches, too, leads to all that follows the parameter. So no path is tried twice.
    """

    by_word: dict[str, "_Node[_Target]"] = field(default_factory=dict)
    parameter: Optional["_Node[_Target]"] = None
    path_item: _PathItem[_Target] | None = None

    def extend(self, segment: str) -> list["_Node[_Target]"]:
        """Return the nodes after a segment of a template, which are made where they are missing."""
        if "{" in segment:
            self.parameter = self.parameter or _Node()
            return [self.parameter, *self.by_word.values()]
        if segment not in self.by_word:
            self.by_word[segment] = self.parameter.copy() if self.parameter else _Node()
        return [self.by_word[segment]]

    def copy(self) -> "_Node[_Target]":
        """Return a copy of the node and of all that follows it, with the same path items."""
        by_word = {word: node.copy() for word, node in self.by_word.items()}
        return _Node(by_word, self.parameter and self.parameter.copy(), self.path_item)


class RouteTree(Generic[_Target]):
    """The routes of a document: a target for each path template and method."""

    def __init__(self) -> None:
        self._root: _Node[_Target] = _Node()
        self._path_items: dict[str, _PathItem[_Target]] = {}

    def add(self, template: str, method: str, target: _Target) -> None:
        """Add the target of a method at a path template, such as `/v1/boards/{board_id}`."""
        if template not in self._path_items:
            self._path_items[template] = self._add_path_item(template)
        self._path_items[template].by_method[method] = target

    def _add_path_item(self, template: str) -> _PathItem[_Target]:
        segments = template.split("/")
        path_item: _PathItem[_Target] = _PathItem(template, segments)
        nodes = [self._root]
        for segment in segments[1:]:
            nodes = [child for node in nodes for child in node.extend(segment)]
        for node in nodes:
            if node.path_item is None or node.path_item.precedence < path_item.precedence:
                node.path_item = path_item
        return path_item

    def find(self, path: str) -> tuple[Mapping[str, _Target], dict[str, str]] | None:
        """Return the targets by method and the path parameters as text; None for an unknown path.

        Concrete segments win over path parameters, as OpenAPI defines it.
        """
        segments = path.split("/")
        node = self._root
        for segment in segments[1:]:
            # A path parameter is never empty.
            child = node.by_word.get(segment) or (node.parameter if segment else None)
            if child is None:
                return None
            node = child
        if (path_item := node.path_item) is None:
            return None
        values = path_item.read_parameters(path, segments)
        return None if values is None else (path_item.by_method, values)
