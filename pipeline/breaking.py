"""What breaks somebody's client: oasdiff with our severities, and what oasdiff doesn't look at.

A client is broken by what it must do now and needn't before, by what it gets and isn't prepared for, and by a door
that is open now and was closed: whoever relied on it being closed is broken worst of all.
"""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.bundle import Bundle, Node
from pipeline.compatibility import incompatibilities
from pipeline.findings import ROOT, Pointer, Remark
from pipeline.linters import run_tool

GROWING = ("ProblemCode", "Event", "BoardField", "CardField", "ListField")
"""Schemas that may grow without a new version: the document tells its readers to pass over what they don't know."""

_SEVERITIES = ROOT / "pipeline" / "severities.txt"
_WARNING = 2


def breaks(released: Node, current: Node) -> list[Remark]:
    """Everything in the current document that breaks a client of the released one, by its place in the current one."""
    found = [_remark(each) for each in _compared("breaking", _grown(released, current), current)]
    before, after = Bundle(released), Bundle(current)
    found += [Remark(at, "breaking access", says) for at, says in _access(before, after)]
    found += [Remark(at, f"breaking {rule}", says) for at, rule, says in incompatibilities(before, after)]
    if _addresses(released) != _addresses(current):
        found.append(Remark(("servers",), "breaking servers", "The addresses of everything have changed."))
    return list(dict.fromkeys(found))


def differences(released: Node, current: Node) -> list[Node]:
    """Every change that a client can see, as oasdiff tells it: `id`, `text`, `level`, `operation`, `path`."""
    return _compared("changelog", released, current)


def _compared(command: str, released: Node, current: Node) -> list[Node]:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "released.json"), Path(folder, "current.json")
        before.write_text(json.dumps(released))
        after.write_text(json.dumps(current))
        said = run_tool("oasdiff", command, before, after, "-f", "json", "--severity-levels", _SEVERITIES)
    found: list[Node] = json.loads(said or "[]")
    return [each for each in found if command == "changelog" or each["level"] >= _WARNING]


def _remark(each: Node) -> Remark:
    at: Pointer = ("paths", each["path"], each["operation"].lower()) if "path" in each else ()
    return Remark(at, f"breaking {each['id']}", each["text"])


def _grown(released: Node, current: Node) -> Node:
    """The released document with what the growing schemas have gained: so only what they have lost is seen."""
    grown = copy.deepcopy(released)
    before, after = (each.get("components", {}).get("schemas", {}) for each in (grown, current))
    for name in set(GROWING) & before.keys() & after.keys():
        for keyword in ("enum", "oneOf"):
            gained = [part for part in after[name].get(keyword, []) if part not in before[name].get(keyword, [])]
            if gained:
                before[name][keyword] = [*before[name].get(keyword, []), *gained]
        mapping = after[name].get("discriminator", {}).get("mapping", {})
        before[name].get("discriminator", {}).get("mapping", {}).update(mapping)
    # What was gained may be made of schemas that are new; a schema that nothing else uses changes nothing.
    return {**grown, "components": {**grown.get("components", {}), "schemas": {**after, **before}}}


def _access(released: Bundle, current: Bundle) -> Iterator[tuple[Pointer, str]]:
    """Operations that other people may call now: more of them, or fewer."""
    now = {operation.at: operation for operation in current.operations}
    for before in released.operations:
        after = now.get(before.at)
        if after is None:
            continue
        asked, asks = (_security(bundle, each.node) for bundle, each in ((released, before), (current, after)))
        if asked != asks:
            yield (*after.at, "security"), f"{after.id} asked for {asked} and asks for {asks}."
        for name in ("x-tackboard-scope", "x-tackboard-role"):
            if before.node.get(name) != after.node.get(name):
                yield (*after.at, name), f"{after.id}: {name} was {before.node.get(name)}, now {after.node.get(name)}."


def _security(bundle: Bundle, operation: Node) -> str:
    asked: list[Node] = operation["security"] if "security" in operation else bundle.document.get("security", [])
    return " or ".join(sorted("+".join(sorted(each)) or "nothing" for each in asked)) or "nothing"


def _addresses(document: Node) -> set[str]:
    return {server.get("url", "/") for server in document.get("servers", [{}])}
