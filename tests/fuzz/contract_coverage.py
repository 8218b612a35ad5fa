"""How much of the contract was met: operations, parameters, statuses and properties, out of recorded traffic."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pipeline.bundle import Bundle
from pipeline.findings import BUNDLE, Pointer

UNPROVOKED = ("500", "503")
"""Nothing that is sent from outside may cause these, so they don't count."""

FLOORS = {"operations": 1.0, "parameters": 0.95, "statuses": 0.95, "properties": 0.95}


@dataclass(slots=True)
class Coverage:
    """By kind of thing: what the document has, and what was met."""

    there: dict[str, set[Any]] = field(default_factory=lambda: {kind: set() for kind in FLOORS})
    met: dict[str, set[Any]] = field(default_factory=lambda: {kind: set() for kind in FLOORS})

    @classmethod
    def of(cls, traffic: Path) -> Self:
        """What a file of exchanges has met."""
        bundle = Bundle(json.loads(BUNDLE.read_bytes()))
        made = cls()
        schemas: dict[tuple[str, str], tuple[Pointer, Any]] = {}
        for operation in bundle.operations:
            made.there["operations"].add(operation.id)
            made.there["parameters"] |= {(operation.id, each["name"]) for _, each in bundle.parameters(operation)}
            for at, status, response in bundle.responses(operation):
                if status not in UNPROVOKED:
                    made.there["statuses"].add((operation.id, status))
                # The same answer may be there as CSV, too, which has no properties.
                for media, content in response.get("content", {}).items():
                    if "json" in media:
                        schemas[operation.id, status] = (*at, "content", media, "schema"), content["schema"]
        for (_, status), (at, schema) in schemas.items():
            if status not in UNPROVOKED:
                for where, node in bundle.reachable(at, schema):
                    made.there["properties"] |= {(*where, name) for name in node.get("properties", {})}
        for line in traffic.read_text().splitlines():
            made._meet(bundle, json.loads(line), schemas)
        return made

    def _meet(self, bundle: Bundle, seen: dict[str, Any], schemas: dict[tuple[str, str], tuple[Pointer, Any]]) -> None:
        operation, status = seen["operation"], str(seen["status"])
        self.met["operations"].add(operation)
        self.met["parameters"] |= {(operation, name) for name in seen["parameters"]} & self.there["parameters"]
        self.met["statuses"] |= {(operation, status)} & self.there["statuses"]
        body = base64.b64decode(seen["body"])
        if body and (operation, status) in schemas and "json" in seen["headers"].get("content-type", ""):
            self._mark(bundle, *schemas[operation, status], json.loads(body))

    def _mark(self, bundle: Bundle, at: Pointer, schema: Any, value: Any) -> None:
        at, schema = bundle.lead(at, schema)
        for keyword in ("allOf", "anyOf", "oneOf"):
            for number, part in enumerate(schema.get(keyword, [])):
                if keyword == "allOf" or bundle.schemas.get_check(part, "response").is_valid(value):
                    self._mark(bundle, (*at, keyword, number), part, value)
        if isinstance(value, dict):
            for name in value.keys() & schema.get("properties", {}).keys():
                self.met["properties"].add((*at, name))
                self._mark(bundle, (*at, "properties", name), schema["properties"][name], value[name])
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            for item in value:
                self._mark(bundle, (*at, "items"), schema["items"], item)

    def share(self, kind: str) -> float:
        """How much of a kind of thing was met, from 0 to 1."""
        return len(self.met[kind]) / max(1, len(self.there[kind]))

    def is_enough(self) -> bool:
        """Whether every floor is reached."""
        return all(self.share(kind) >= floor for kind, floor in FLOORS.items())

    def told(self) -> str:
        """A line for each kind of thing, and what was not met."""
        lines = [
            f"{kind}: {len(self.met[kind])} of {len(self.there[kind])} ({self.share(kind):.1%}, floor {floor:.0%})"
            for kind, floor in FLOORS.items()
        ]
        missing = [
            f"  not met: {' '.join(map(str, each)) if isinstance(each, tuple) else each}"
            for kind in FLOORS
            for each in sorted(self.there[kind] - self.met[kind], key=str)
        ]
        return "\n".join([*lines, *missing])
