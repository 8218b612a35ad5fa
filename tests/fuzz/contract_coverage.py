"""How much of the contract was met: operations, parameters, statuses and properties, out of recorded traffic."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE, Pointer

IGNORED_STATUSES = ("500", "503")
"""Nothing that is sent from outside may cause these, so they don't count."""

MIN_SHARES = {"operations": 1.0, "parameters": 0.95, "statuses": 0.95, "properties": 0.95}


@dataclass(slots=True)
class Coverage:
    """By kind of thing: what the document has, and what was met."""

    documented: dict[str, set[Any]] = field(default_factory=lambda: {kind: set() for kind in MIN_SHARES})
    covered: dict[str, set[Any]] = field(default_factory=lambda: {kind: set() for kind in MIN_SHARES})

    @classmethod
    def measure(cls, traffic: Path) -> Self:
        """Measure what a file of recorded exchanges covers."""
        bundle = Bundle(json.loads(BUNDLE.read_bytes()))
        made = cls()
        schemas: dict[tuple[str, str], tuple[Pointer, Any]] = {}
        for operation in bundle.operations:
            made.documented["operations"].add(operation.id)
            made.documented["parameters"] |= {
                (operation.id, parameter["name"]) for _, parameter in bundle.parameters(operation)
            }
            for at, status, response in bundle.responses(operation):
                if status not in IGNORED_STATUSES:
                    made.documented["statuses"].add((operation.id, status))
                # The same answer may be there as CSV, too, which has no properties.
                for media, content in response.get("content", {}).items():
                    if "json" in media:
                        schemas[operation.id, status] = (*at, "content", media, "schema"), content["schema"]
        for (_, status), (at, schema) in schemas.items():
            if status not in IGNORED_STATUSES:
                for where, node in bundle.walk_schema(at, schema):
                    made.documented["properties"] |= {(*where, name) for name in node.get("properties", {})}
        for line in traffic.read_text().splitlines():
            made._add_exchange(bundle, json.loads(line), schemas)
        return made

    def _add_exchange(
        self, bundle: Bundle, exchange: dict[str, Any], schemas: dict[tuple[str, str], tuple[Pointer, Any]]
    ) -> None:
        operation, status = exchange["operation"], str(exchange["status"])
        self.covered["operations"].add(operation)
        self.covered["parameters"] |= {(operation, name) for name in exchange["parameters"]} & self.documented[
            "parameters"
        ]
        self.covered["statuses"] |= {(operation, status)} & self.documented["statuses"]
        body = base64.b64decode(exchange["body"])
        if body and (operation, status) in schemas and "json" in exchange["headers"].get("content-type", ""):
            self._mark_covered(bundle, *schemas[operation, status], json.loads(body))

    def _mark_covered(self, bundle: Bundle, pointer: Pointer, schema: Any, value: Any) -> None:
        pointer, schema = bundle.follow(pointer, schema)
        for keyword in ("allOf", "anyOf", "oneOf"):
            for number, part in enumerate(schema.get(keyword, [])):
                if keyword == "allOf" or bundle.schemas.get_check(part, "response").is_valid(value):
                    self._mark_covered(bundle, (*pointer, keyword, number), part, value)
        if isinstance(value, dict):
            for name in value.keys() & schema.get("properties", {}).keys():
                self.covered["properties"].add((*pointer, name))
                self._mark_covered(bundle, (*pointer, "properties", name), schema["properties"][name], value[name])
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            for item in value:
                self._mark_covered(bundle, (*pointer, "items"), schema["items"], item)

    def share(self, kind: str) -> float:
        """How much of a kind of thing was met, from 0 to 1."""
        return len(self.covered[kind]) / max(1, len(self.documented[kind]))

    def is_enough(self) -> bool:
        """Whether every floor is reached."""
        return all(self.share(kind) >= floor for kind, floor in MIN_SHARES.items())

    def describe(self) -> str:
        """Return a line for each kind of thing, and for each thing that was not covered."""
        lines = [
            f"{kind}: {len(self.covered[kind])} of {len(self.documented[kind])} ({self.share(kind):.1%}, "
            f"floor {floor:.0%})"
            for kind, floor in MIN_SHARES.items()
        ]
        missing = [
            f"  not met: {' '.join(map(str, thing)) if isinstance(thing, tuple) else thing}"
            for kind in MIN_SHARES
            for thing in sorted(self.documented[kind] - self.covered[kind], key=str)
        ]
        return "\n".join([*lines, *missing])
