"""Routes of one document, found by the words of a path: a router that tries one after the other gets slower with each.

Starlette's router asks its routes in turn, and so does connexion's, which is made of it. Here they stand behind a
single route, in a tree with one step for each word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute, Match, Route

from contract.bridge import Message


@dataclass(slots=True)
class _Node:
    """What can follow the words so far; None stands for a word that is a parameter."""

    children: dict[str | None, "_Node"] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)


class RouteTree(BaseRoute):
    """Many routes as one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            step = self._root
            for word in route.path.split("/"):
                step = step.children.setdefault(None if "{" in word else word, _Node())
            step.routes.append(route)

    def matches(self, scope: Message) -> tuple[Match, Message]:
        """The route of this path and method, else one of this path, which will say that the method is not allowed."""
        partial: tuple[Match, Message] = Match.NONE, {}
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for route in _find_routes(self._root, path.split("/"), 0):
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, "route": route}
            if match is Match.PARTIAL:
                partial = match, {**found, "route": route}
        return partial

    async def handle(self, scope: Message, receive: Any, send: Any) -> None:
        """Go on to the route that was found."""
        await scope["route"].handle(scope, receive, send)


def _find_routes(node: _Node, segments: Sequence[str], index: int) -> list[Route]:
    """The routes of a path; what stands there goes before what may stand there, as OpenAPI has it."""
    if index == len(segments):
        return node.routes
    for word in (segments[index], None):
        if (following := node.children.get(word)) and (routes := _find_routes(following, segments, index + 1)):
            return routes
    return []
