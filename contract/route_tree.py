"""A tree of routes, which finds a route by the segments of a path in a time that does not grow with their number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Target = TypeVar("_Target")
_PATH_PARAMETER = re.compile(r"\{(.*?)\}")
_WHOLE_SEGMENT = re.compile(r"\{[^{}]*\}")


@dataclass(slots=True)
class _Node(Generic[_Target]):
    """The nodes after the segments so far, and what the path that ends here has by method.

    The key None stands for a segment with path parameters. `names` are the path parameters in their order, and
    `pattern` matches the whole path if one of its segments has more than a parameter.
    """

    children: dict[str | None, "_Node[_Target]"] = field(default_factory=dict)
    by_method: dict[str, _Target] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None


class RouteTree(Generic[_Target]):
    """The routes of a document: a target for each path template and method."""

    def __init__(self) -> None:
        self._root: _Node[_Target] = _Node()

    def add(self, template: str, method: str, target: _Target) -> None:
        """Add the target of a method at a path template, such as `/v1/boards/{board_id}`."""
        node = self._root
        for segment in template.split("/")[1:]:
            node = node.children.setdefault(None if "{" in segment else segment, _Node())
        node.names = tuple(_PATH_PARAMETER.findall(template))
        if any("{" in segment and not _WHOLE_SEGMENT.fullmatch(segment) for segment in template.split("/")):
            node.pattern = re.compile(re.sub(r"\\\{.*?\\\}", "([^/]+)", re.escape(template)))
        node.by_method[method] = target

    def find(self, path: str) -> tuple[dict[str, _Target], dict[str, str]] | None:
        """Return the targets by method and the path parameters as text; None for an unknown path.

        Concrete segments win over path parameters, as OpenAPI defines it.
        """
        texts: list[str] = []
        node = _find_node(self._root, path.split("/"), 1, texts)
        if node is None:
            return None
        if node.pattern is not None:
            match = node.pattern.fullmatch(path)
            if match is None:
                return None
            texts = list(match.groups())
        return node.by_method, dict(zip(node.names, texts, strict=True))


def _find_node(node: _Node[_Target], segments: Sequence[str], index: int, texts: list[str]) -> _Node[_Target] | None:
    """Return the node of a path, and fill `texts` with the segments of its parameters."""
    if index == len(segments):
        return node if node.by_method else None
    segment = segments[index]
    if (child := node.children.get(segment)) and (end := _find_node(child, segments, index + 1, texts)):
        return end
    if segment and (child := node.children.get(None)):
        texts.append(segment)
        if end := _find_node(child, segments, index + 1, texts):
            return end
        texts.pop()
    return None
