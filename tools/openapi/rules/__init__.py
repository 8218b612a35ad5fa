"""The rules for the document that neither Redocly nor Spectral has.

A rule is a function that yields the places of a bundle that break it. The function's name is the rule's.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tools.openapi.bundle import Bundle, Node
from tools.openapi.findings import BundleFinding, Pointer
from tools.openapi.rules import bodies, names, operations, schemas

Rule = Callable[[Bundle], Iterator[tuple[Pointer, str]]]

RULES: tuple[Rule, ...] = (*schemas.RULES, *names.RULES, *operations.RULES, *bodies.RULES)


def find_violations(document: Node) -> list[BundleFinding]:
    """Return the violations of all rules. While there are dangling references, return only these."""
    if dangling := list(_find_dangling_references(document, (), document)):
        return [BundleFinding(at, "references-resolve", f"{reference} does not exist.") for at, reference in dangling]
    bundle = Bundle(document)
    return [
        BundleFinding(at, rule.__name__.replace("_", "-"), message) for rule in RULES for at, message in rule(bundle)
    ]


def _find_dangling_references(node: Any, pointer: Pointer, document: Node) -> Iterator[tuple[Pointer, str]]:
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _find_dangling_references(part, (*pointer, number), document)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not _resolves(reference, document):
            yield (*pointer, "$ref"), reference
        for name, part in node.items():
            yield from _find_dangling_references(part, (*pointer, name), document)


def _resolves(reference: str, document: Node) -> bool:
    target: Any = document
    for step in reference.removeprefix("#/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or name not in target:
            return False
        target = target[name]
    return True
