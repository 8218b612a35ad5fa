"""Rules about bodies and examples: everything has a valid example."""

from collections.abc import Iterator
from typing import Any

from contract.schemas import KNOWN_VALUES_EXTENSION, Direction
from tools.openapi.bundle import Bundle, Content, Node
from tools.openapi.findings import Pointer
from tools.openapi.rules.operations import PROBLEM

Violations = Iterator[tuple[Pointer, str]]


def bodies_are_named_objects(bundle: Bundle) -> Violations:
    """Require that bodies are objects, so that they can grow, and have a name, so that clients have a type for them."""
    for content in bundle.contents():
        schema = content.node.get("schema", {})
        if "$ref" not in schema:
            yield (*content.pointer, "schema"), "A body's schema is a reference to spec/schemas."
        resolved = bundle.resolve(schema)
        is_json = str(content.pointer[-1]).endswith("json")
        if is_json and resolved.get("type") != "object" and not resolved.keys() & {"oneOf", "allOf"}:
            yield (*content.pointer, "schema"), "A body is an object at the top."


def bodies_have_examples(bundle: Bundle) -> Violations:
    """Require an example of every body: the documentation, the mock and the Postman collection are made from them."""
    for content in bundle.contents():
        if not list(_list_examples(bundle, content)):
            yield content.pointer, "Give this body an example."


def examples_match_their_schema(bundle: Bundle) -> Violations:
    """Require that examples and deviolations match their schemas."""
    for content in bundle.contents():
        for at, value in _list_examples(bundle, content):
            yield from _validate_example(bundle, at, content.node.get("schema", {}), content.direction, value)
    for at, node in bundle.parameters_and_headers():
        if "example" in node:
            yield from _validate_example(bundle, (*at, "example"), node.get("schema", {}), "response", node["example"])
    for at, schema in bundle.all_schemas.items():
        direction: Direction = "request" if at in bundle.request_schemas else "response"
        for keyword in ("example", "default"):
            if keyword in schema:
                yield from _validate_example(bundle, (*at, keyword), schema, direction, schema[keyword])


def _list_examples(bundle: Bundle, content: Content) -> Iterator[tuple[Pointer, Any]]:
    if "example" in content.node:
        yield (*content.pointer, "example"), content.node["example"]
    for name, node in content.node.get("examples", {}).items():
        at, example = bundle.follow((*content.pointer, "examples", name), node)
        if "value" in example:
            yield (*at, "value"), example["value"]


def _validate_example(bundle: Bundle, pointer: Pointer, schema: Node, direction: Direction, value: Any) -> Violations:
    try:
        violations = bundle.schemas.get_check(schema, direction).find_violations(value)
    except Exception as error:  # noqa: BLE001 - a schema that can't be compiled is a finding too, whatever is raised.
        yield pointer, f"The schema of this example can't be used: {str(error)[:200]}"
        return
    for violation in violations:
        yield (*pointer, *violation.pointer.strip("/").split("/")), f"The example {violation.message}."


def every_property_has_an_example(bundle: Bundle) -> Violations:
    """Require that every property of a response occurs in an example at least once."""
    shown_properties: set[Pointer] = set()
    response_schemas: dict[Pointer, Node] = {}
    for content in bundle.contents():
        if content.direction == "response":
            at = (*content.pointer, "schema")
            response_schemas |= dict(bundle.walk_schema(at, content.node.get("schema", {})))
            for _, value in _list_examples(bundle, content):
                _mark_shown_properties(bundle, at, content.node.get("schema", {}), value, shown_properties)
    for at, schema in response_schemas.items():
        for name, part in schema.get("properties", {}).items():
            is_shown = (*at, "properties", name) in shown_properties or part.get(KNOWN_VALUES_EXTENSION) == []
            if not is_shown and "example" not in bundle.resolve(part):
                yield (*at, "properties", name), "No example shows this property."


def _mark_shown_properties(
    bundle: Bundle, pointer: Pointer, schema: Any, value: Any, shown_properties: set[Pointer]
) -> None:
    """Add every property that a value has to `shown_properties`."""
    pointer, schema = bundle.follow(pointer, schema)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for number, part in enumerate(schema.get(keyword, [])):
            _mark_shown_properties(bundle, (*pointer, keyword, number), part, value, shown_properties)
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            if name in value:
                shown_properties.add((*pointer, "properties", name))
                _mark_shown_properties(bundle, (*pointer, "properties", name), part, value[name], shown_properties)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            _mark_shown_properties(bundle, (*pointer, "items"), schema["items"], item, shown_properties)


def problem_examples_match_their_status(bundle: Bundle) -> Violations:
    """Require of examples of problems the status of their response, a known code, and the type of that code."""
    codes = bundle.resolve({"$ref": "#/components/schemas/ProblemCode"}).get(KNOWN_VALUES_EXTENSION, [])
    for content in bundle.contents():
        if content.media_type != PROBLEM:
            continue
        for at, value in _list_examples(bundle, content):
            if str(value.get("status")) != content.status:
                yield (*at, "status"), f"This problem is an example of status {content.status}."
            if value.get("type") != f"/problems/{value.get('code')}" or value.get("code") not in codes:
                yield (*at, "code"), "code is one of ProblemCode, and type is /problems/ and the code."


def codes_have_a_page(bundle: Bundle) -> Violations:
    """Require a row in the table of ProblemCode for every code: the page of the problem is made from it."""
    at = ("components", "schemas", "ProblemCode")
    schema = bundle.components.get("schemas", {}).get("ProblemCode", {})
    for number, code in enumerate(schema.get(KNOWN_VALUES_EXTENSION, [])):
        if f"| `{code}` |" not in schema.get("description", ""):
            yield (*at, KNOWN_VALUES_EXTENSION, number), f"{code} has no row in the table above."


RULES = (
    bodies_are_named_objects,
    bodies_have_examples,
    examples_match_their_schema,
    every_property_has_an_example,
    problem_examples_match_their_status,
    codes_have_a_page,
)
