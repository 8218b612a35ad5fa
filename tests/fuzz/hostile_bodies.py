"""Hostile bodies, made from the document: as large as an operation allows, and wrong in as many places as fit in.

Each is an example of the document with one place filled with something that costs a careless reader the most: an array
of wrong items, a map of unknown names, a text of megabytes, nesting without end.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.edge import BODY_LIMIT_EXTENSION, MAX_BODY_BYTES
from contract.schemas import Schema, Schemas
from contract.strict_json import BYTES_PER_CONTAINER, BYTES_PER_VALUE, MAX_DEPTH
from kanban.ordering import ranks

JsonPath = tuple[str | int, ...]
_PLACEHOLDER = "the place that is filled"
_MAX_STEPS = 5
"""Steps down from the body that places are looked for."""
_CARDS_PER_LIST = 4_000


@dataclass(frozen=True, slots=True)
class Target:
    """An operation that takes a body of this media type, with the largest example of the document."""

    operation: str
    method: str
    path: str
    media: str
    schema: Schema
    example: Any
    limit: int

    def __str__(self) -> str:
        return self.operation if self.media == "application/json" else f"{self.operation} {self.media}"


def list_targets(bundle: Mapping[str, Any]) -> list[Target]:
    """Every operation with a body, once for each media type, with ids of the examples in its path."""
    schemas = Schemas({**bundle})
    made = []
    for path, item in bundle["paths"].items():
        for method, operation in item.items():
            if method == "parameters" or "requestBody" not in operation:
                continue
            parameters = [schemas.resolve(parameter) for parameter in item.get("parameters", [])]
            address = path.format(
                **{parameter["name"]: schemas.resolve(parameter["schema"])["example"] for parameter in parameters}
            )
            for media, content in schemas.resolve(operation["requestBody"])["content"].items():
                examples = [schemas.resolve(example)["value"] for example in content["examples"].values()]
                largest = max(examples, key=lambda value: len(json.dumps(value)))
                limit = operation.get(BODY_LIMIT_EXTENSION, MAX_BODY_BYTES)
                schema = content["schema"]
                made.append(Target(operation["operationId"], method, address, media, schema, largest, limit))
    return made


def walk_paths(schemas: Schemas, schema: Schema, parents: JsonPath = ()) -> Iterator[tuple[JsonPath, Schema]]:
    """Every place of a body: itself, each property, the first item of each array, and so on down."""
    schema = schemas.resolve(schema)
    yield parents, schema
    if len(parents) == _MAX_STEPS:
        return
    for name, part in schema.get("properties", {}).items():
        yield from walk_paths(schemas, part, (*parents, name))
    if "items" in schema:
        yield from walk_paths(schemas, schema["items"], (*parents, 0))


def build_fillings(schemas: Schemas, schema: Schema, max_bytes: int, max_values: int) -> dict[str, bytes]:
    """JSON texts of at most `room` bytes and `values` values for a place of that schema, by what they are full of."""
    items = schemas.resolve(schema.get("items", {}))
    names = [*items.get("properties", {})] or ["id", "name"]
    wrong: dict[str, Any] = {name: [] for name in names}

    def array(item: bytes, weight: int = 1, most: int = max_bytes) -> bytes:
        containers = max(1, _count_brackets(item))
        holds = max_values * BYTES_PER_VALUE // BYTES_PER_CONTAINER // containers if item[:1] in b"[{" else max_bytes
        count = max(1, min(max_bytes // (len(item) + 1), max_values // weight, most, holds))
        return b"[" + b",".join([item] * count) + b"]"

    deep = b"[" * (MAX_DEPTH - _MAX_STEPS - 2) + b"]" * (MAX_DEPTH - _MAX_STEPS - 2)
    few = schema.get("maxItems", max_bytes)
    full = {
        "zeros": array(b"0"),
        "as many zeros as are allowed": array(b"0", most=few),
        "empty objects": array(b"{}"),
        "as many empty objects as are allowed": array(b"{}", most=few),
        "empty arrays": array(b"[]"),
        "empty texts": array(b'""'),
        "nulls": array(b"null"),
        "fractions": array(b"-1.5e-7"),
        "objects of one": array(b'{"":0}', 2),
        "objects whose names are known and values are wrong": array(json.dumps(wrong).encode(), 2 * len(names)),
        "unknown names": _build_unknown_names(min(max_bytes // 10, max_values)),
        "a long text": b'"' + b"a" * max_bytes + b'"',
        "blanks": b'"' + b" " * max_bytes + b'"',
        "digits": b'"' + b"1" * max_bytes + b'"',
        "hyphens": b'"' + b"a-" * (max_bytes // 2) + b'"',
        "a long address": b'"https://a.example/' + b"a/" * (max_bytes // 2 - 10) + b'"',
        "combining marks": '"{}"'.format("\u0323\u0301" * (max_bytes // 4)).encode(),
        "decomposed letters": '"{}"'.format("o\u0308" * (max_bytes // 3)).encode(),
        "escapes": b'"' + b"\\n" * (max_bytes // 2) + b'"',
        "quotes": b'"' + b'\\"' * (max_bytes // 2) + b'"',
        "commas in a text": b'"' + b"[,:" * (max_bytes // 3) + b'"',
        "a long name": b'{"' + b"a" * (max_bytes - 5) + b'":0}',
        "deep arrays": array(deep, len(deep) // 2),
        "deep objects": array(b'{"a":' * 150 + b"0" + b"}" * 150, 151),
    }
    if not items:
        return full
    good = json.dumps(build_sample(schemas, items)).encode()
    full["good items and a wrong one"] = array(good, good.count(b",") + good.count(b":") + 2)[:-1] + b",0]"
    return full


def build_sample(schemas: Schemas, schema: Schema) -> Any:
    """Build a value of a schema from its examples."""
    schema = schemas.resolve(schema)
    if "example" in schema:
        return schema["example"]
    if schema.get("nullable"):
        return None
    if schema.get("type") == "object":
        required = schema.get("required", ())
        return {name: build_sample(schemas, part) for name, part in schema["properties"].items() if name in required}
    empty = {"array": [], "boolean": False, "integer": 0, "number": 0}
    return schema.get("enum", [empty.get(schema.get("type", ""), "")])[0]


def build_hostile_bodies(schemas: Schemas, target: Target) -> Iterator[tuple[str, bytes]]:
    """Names and texts of all hostile bodies of an operation, as long as it allows."""
    for path, schema in walk_paths(schemas, target.schema):
        around = _insert_placeholder(target.example, path)
        room = target.limit - len(around) - 64
        values = (
            target.limit // BYTES_PER_VALUE - around.count(b",") - around.count(b":") - 3 * _count_brackets(around) - 99
        )
        for name, text in build_fillings(schemas, schema, room, values).items():
            yield f"{_format_pointer(path)}: {name}", around.replace(b'"' + _PLACEHOLDER.encode() + b'"', text)
    yield from _build_malformed_bodies(target.limit)


def build_valid_body(target: Target) -> bytes:
    """Return the example, padded to the largest size that the operation allows."""
    text = json.dumps(target.example).encode()
    return text + b" " * (target.limit - len(text))


def build_full_body(target: Target, board_number: int) -> bytes:
    """Return a valid body of the largest size: an export with as many cards as fit, otherwise a padded example.

    Exports of different numbers are of different boards, so that each is imported.
    """
    if target.limit == MAX_BODY_BYTES:
        return build_valid_body(target)
    card_bytes = len(json.dumps(target.example["cards"][0])) + 30
    card_count = (target.limit - 2 * len(json.dumps(target.example))) // card_bytes
    raw = build_export(target.example, card_count, board_number)
    return raw + b" " * (target.limit - len(raw))


def build_export(example: Mapping[str, Any], card_count: int, board_number: int) -> bytes:
    """Return an export like the example, of another board, with more lists and copies of its first card."""
    first_card, first_list = example["cards"][0], example["lists"][0]
    list_count = card_count // _CARDS_PER_LIST
    lists = [{**first_list, "id": f"{first_list['id'][:-2]}{number:02}"} for number in range(list_count)]
    export: dict[str, Any] = {**example, "lists": [*example["lists"], *lists]}
    list_ids = [list_["id"] for list_ in export["lists"]]
    export["cards"] = [first_card, *_copy_card(first_card, list_ids, card_count - 1)]
    if "digest" in export:
        board_id = f"{example['board']['id'][:-4]}{board_number:04}"
        export |= {"digest": None, "board": {**example["board"], "id": board_id}}
    else:
        export["id"] = f"{example['id'][:-4]}{board_number:04}"
    return json.dumps(export).encode()


def _copy_card(card: Mapping[str, Any], list_ids: Sequence[str], count: int) -> Iterator[dict[str, Any]]:
    """Yield copies of a card with ids of their own, on these lists in turn."""
    card_ranks = ranks.sequence_after(card.get("place", ""), count)
    for number, (rank, list_id) in enumerate(zip(card_ranks, itertools.cycle(list_ids), strict=False)):
        own: dict[str, Any] = {"id": f"{card['id'][:-8]}{number:08}"}
        own |= {"list_id": list_id, "place": rank, "external_id": None} if "place" in card else {"idList": list_id}
        yield {**card, **own}


def _build_malformed_bodies(limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield bodies that are malformed or ambiguous JSON, whatever the schema."""
    values = limit // BYTES_PER_VALUE
    yield "more values than are allowed", b"[" + b"0," * (limit // 2 - 2) + b"0]"
    yield "more values than are allowed, and commas in texts", b"[" + b'",",' * (limit // 4 - 2) + b"0]"
    yield "brackets that never close", b"[" * limit
    yield "pairs of brackets", b"[]" * (limit // 2)
    yield "objects that never close", b'{"a":' * (limit // 5)
    yield "an array that breaks off", b"[" + b"{}," * (values // 2)
    yield "a text that never ends", b'"' + b"a" * (limit - 1)
    yield "backslashes", b'"' + b"\\" * (limit - 2) + b'"'
    yield "a number of all digits", b"1" * limit
    yield "one name, ever again", b"{" + b",".join([b'"a":0'] * (values - 2)) + b"}"
    yield "blanks", b" " * limit


def _count_brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _build_unknown_names(count: int) -> bytes:
    return b"{" + b",".join(b'"%05x":0' % number for number in range(count)) + b"}"


def _insert_placeholder(example: Any, path: JsonPath) -> bytes:
    """Return the example as JSON, with a placeholder at that path."""
    if not path:
        return json.dumps(_PLACEHOLDER).encode()
    whole = json.loads(json.dumps(example))
    part = whole
    for step, following in itertools.pairwise(path):
        missing: Any = [None] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not part:
                part.append(missing)
        elif not isinstance(part.get(step), type(missing)):
            part[step] = missing
        if isinstance(step, int) and not isinstance(part[step], type(missing)):
            part[step] = missing
        part = part[step]
    if isinstance(path[-1], int) and not part:
        part.append(None)
    part[path[-1]] = _PLACEHOLDER
    return json.dumps(whole).encode()


def _format_pointer(path: JsonPath) -> str:
    return "".join(f"/{step}" for step in path) or "all"
