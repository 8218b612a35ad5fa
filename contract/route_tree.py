"""A tree of routes, which finds a route by the segments of a path in a time that does not grow with their number.

Starlette's router, and connexion's on top of it, tries its routes one after the other. The tree is a single route for
them with one node for each segment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match, Route

from contract.bridge import Message


@dataclass(slots=True)
class _Node:
    """The nodes and routes after the segments so far. The key None stands for a path parameter."""

    children: dict[str | None, "_Node"] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)


class RouteTree(BaseRoute):
    """A single Starlette route that stands for many."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for segment in route.path.split("/"):
                node = node.children.setdefault(None if "{" in segment else segment, _Node())
            node.routes.append(route)

    def matches(self, scope: Message) -> tuple[Match, Message]:
        """Match path and method, else the path alone: that route answers 405."""
        partial: tuple[Match, Message] = Match.NONE, {}
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for route in _find_routes(self._root, path.split("/"), 0):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, {**child_scope, "route": route}
            if match is Match.PARTIAL:
                partial = match, {**child_scope, "route": route}
        return partial

    async def handle(self, scope: Message, receive: Any, send: Any) -> None:
        """Call the matched route."""
        await scope["route"].handle(scope, receive, send)


def _find_routes(node: _Node, segments: Sequence[str], index: int) -> list[Route]:
    """Return the routes of a path. Concrete segments win over path parameters, as OpenAPI defines it."""
    if index == len(segments):
        return node.routes
    for segment in (segments[index], None):
        if (child := node.children.get(segment)) and (routes := _find_routes(child, segments, index + 1)):
            return routes
    return []
