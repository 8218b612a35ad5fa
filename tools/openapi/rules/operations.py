"""Rules about operations, their parameters, responses, headers and links."""

import re
from collections.abc import Iterator

from tools.openapi.bundle import Bundle, Node, Operation
from tools.openapi.findings import Pointer

Violations = Iterator[tuple[Pointer, str]]

PROBLEM = "application/problem+json"

DEPRECATED_SINCE, SUNSET = "x-tackboard-deprecated-since", "x-sunset"

_LOWEST_ERROR_STATUS = 400
_COMMON_HEADERS = {"X-Request-Id", "Cache-Control"}
_HEADERS_BY_STATUS = {"201": {"Location"}, "401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}}
_STATUSES_WITHOUT_BODY = ("204", "304")
_EXPRESSION_PATTERN = re.compile(
    r"\$(?:request|response)\.(?:header\.(?P<header>.+)|body#(?P<body>/.*)|(?:path|query)\..+)"
)
_DATE_PATTERN = re.compile(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def reading_has_no_body(bundle: Bundle) -> Violations:
    """What a body of a GET or a DELETE means is undefined."""
    for operation in bundle.operations:
        if operation.method in ("get", "head", "delete") and "requestBody" in operation.node:
            yield (*operation.pointer, "requestBody"), f"{operation.method.upper()} has no body."


def possible_statuses_are_documented(bundle: Bundle) -> Violations:
    """The edge, the contract and the store answer these by themselves, whatever the handler does."""
    for operation in bundle.operations:
        named = {str(status) for status in operation.node.get("responses", {})}
        if missing := sorted(_possible_statuses(bundle, operation) - named):
            yield (*operation.pointer, "responses"), f"{operation.id} can also answer {', '.join(missing)}: name it."


def _possible_statuses(bundle: Bundle, operation: Operation) -> set[str]:
    certain = {"400", "413", "414", "431", "500"}
    names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
    if operation.node.get("security", bundle.document.get("security")):
        certain |= {"401", "403", "429", "503"}
    if "{" in operation.path:
        certain |= {"404"}
    if "requestBody" in operation.node:
        certain |= {"415"}
    if any(response.get("content") for _, status, response in bundle.responses(operation) if status.startswith("2")):
        certain |= {"406"}
    if "If-Match" in names:
        certain |= {"412", "428"}
    if "If-None-Match" in names:
        certain |= {"304"}
    if "Idempotency-Key" in names:
        certain |= {"422"}
    return certain


def conditional_statuses_have_their_header(bundle: Bundle) -> Violations:
    """No status is there without the header that makes it happen."""
    needs = {"412": "If-Match", "428": "If-Match", "304": "If-None-Match"}
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        for status, header in needs.items():
            if status in operation.node.get("responses", {}) and header not in names:
                yield (*operation.pointer, "responses", status), f"{status} can't happen without {header}."


def _response_schemas(bundle: Bundle, response: Node) -> Node:
    """The schema of each media type of a response."""
    described = bundle.resolve(response).get("content", {})
    return {media: content.get("schema") for media, content in described.items() if isinstance(content, dict)}


def operations_have_one_success(bundle: Bundle) -> Violations:
    """Generated clients have one type for what comes back; what was made, or was there already, looks the same."""
    for operation in bundle.operations:
        responses = operation.node.get("responses", {})
        successes = [str(status) for status in responses if str(status).startswith("2")]
        shapes = {
            repr(_response_schemas(bundle, responses[status])) for status in successes if successes == ["200", "201"]
        }
        if len(successes) != 1 and len(shapes) != 1:
            yield (*operation.pointer, "responses"), f"{operation.id} names {len(successes)} successes; name one."


def errors_are_problems(bundle: Bundle) -> Violations:
    """One shape for everything that goes wrong; and a body exactly where there can be one."""
    for operation in bundle.operations:
        for at, status, response in bundle.responses(operation):
            medias = set(response.get("content", {}))
            if status.isdigit() and int(status) >= _LOWEST_ERROR_STATUS and medias != {PROBLEM}:
                yield at, f"{status} is answered as {PROBLEM}, and as nothing else."
            if status in _STATUSES_WITHOUT_BODY and medias:
                yield at, f"{status} has no body."
            if status.startswith("2") and status not in _STATUSES_WITHOUT_BODY and not medias:
                yield at, f"{status} has no body here; say what comes back, or answer 204."


def responses_have_required_headers(bundle: Bundle) -> Violations:
    """What a client needs to go on: where the new thing is, when to try again, how to name the request."""
    for operation in bundle.operations:
        for at, status, response in bundle.responses(operation):
            needed = _COMMON_HEADERS | _HEADERS_BY_STATUS.get(status, set())
            if missing := sorted(needed - set(response.get("headers", {}))):
                yield at, f"{status} comes with {', '.join(missing)}: describe it."


def conditional_reads_have_an_etag(bundle: Bundle) -> Violations:
    """If-None-Match needs a tag to compare with, and a page that is there for reading needs If-None-Match."""
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        for at, status, response in bundle.responses(operation):
            if status == "200" and "If-None-Match" in names and "ETag" not in response.get("headers", {}):
                yield at, "This answer takes If-None-Match, and has no ETag."


def parameters_are_described(bundle: Bundle) -> Violations:
    """A parameter or a header says what it is for."""
    for at, node in bundle.parameters_and_headers():
        if not str(node.get("description", "")).strip():
            yield at, "Say in a description what this is for."
        if node.get("in") == "header" and str(node.get("name", "")).lower() in (
            "authorization",
            "accept",
            "content-type",
        ):
            yield at, "OpenAPI passes over a header parameter of this name."
        if node.get("in") == "cookie":
            yield at, "Nothing here is told by a cookie."


def pages_have_limit_and_cursor(bundle: Bundle) -> Violations:
    """Whoever may ask for a page may ask for the next one, and is told where it begins.

    A document in parts, such as an export, is no list of items, and knows by itself how large a part can be.
    """
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        if "cursor" not in names:
            continue
        for at, status, response in bundle.responses(operation):
            schema = bundle.resolve(response.get("content", {}).get("application/json", {}).get("schema", {}))
            in_parts = "x-tackboard-foreign" in schema
            needed = {"next_cursor"} if in_parts else {"items", "next_cursor"}
            if status == "200" and not needed <= set(schema.get("required", [])):
                yield at, "A page is items and next_cursor, both required."
            if status == "200" and not in_parts and "limit" not in names:
                yield operation.pointer, f"{operation.id} takes a cursor and no limit."


def deprecation_names_its_dates(bundle: Bundle) -> Violations:
    """A client is told since when an operation is deprecated and when it ends, in the document and by every answer."""
    for operation in bundle.operations:
        since, sunset = (str(operation.node.get(name, "")) for name in (DEPRECATED_SINCE, SUNSET))
        if not operation.node.get("deprecated"):
            if since or sunset:
                yield operation.pointer, f"{operation.id} has a day on which it ends: say deprecated: true too."
            continue
        if not (_DATE_PATTERN.fullmatch(since) and _DATE_PATTERN.fullmatch(sunset) and since < sunset):
            yield (
                (*operation.pointer, "deprecated"),
                f"Say {DEPRECATED_SINCE} and {SUNSET}, two days such as 2027-01-31.",
            )
        for at, status, response in bundle.responses(operation):
            if status.startswith("2") and not {"Deprecation", "Sunset"} <= set(response.get("headers", {})):
                yield at, f"{status} of a deprecated operation comes with Deprecation and Sunset: describe them."


def links_resolve(bundle: Bundle) -> Violations:
    """A link names an operation that is there, parameters that it takes, and values that this answer has."""
    by_id = {operation.node.get("operationId"): operation for operation in bundle.operations}
    for operation in bundle.operations:
        for at, _, response in bundle.responses(operation):
            for name, node in response.get("links", {}).items():
                where, link = bundle.follow((*at, "links", name), node)
                target = by_id.get(link.get("operationId"))
                if target is None:
                    yield (*where, "operationId"), f"There is no operation {link.get('operationId')!r}."
                else:
                    yield from _check_link(bundle, where, link, target, response)


def _check_link(bundle: Bundle, pointer: Pointer, link: Node, target: Operation, response: Node) -> Violations:
    taken = {str(parameter.get("name")): parameter for _, parameter in bundle.parameters(target)}
    given = {
        str(key).removeprefix("path.").removeprefix("query.").removeprefix("header.") for key in link["parameters"]
    }
    for name in sorted(given - taken.keys()):
        yield (*pointer, "parameters"), f"{target.id} takes no parameter {name!r}."
    for name, parameter in taken.items():
        if parameter.get("in") == "path" and name not in given:
            yield (*pointer, "parameters"), f"{target.id} needs {name!r}, which this link does not give."
    for key, expression in link["parameters"].items():
        if (
            isinstance(expression, str)
            and expression.startswith("$")
            and not _expression_resolves(bundle, expression, response)
        ):
            yield (*pointer, "parameters", key), f"The answer has nothing at {expression}."


def _expression_resolves(bundle: Bundle, expression: str, response: Node) -> bool:
    match = _EXPRESSION_PATTERN.fullmatch(expression)
    if match is None:
        return False
    if match["header"]:
        return expression.startswith("$request") or match["header"] in response.get("headers", {})
    if not match["body"] or expression.startswith("$request"):
        return True
    contents: list[Node] = list(response.get("content", {}).values())
    schema: Node = contents[0].get("schema", {}) if contents else {}
    return all(schema := _find_child_schema(bundle, schema, step) for step in match["body"].strip("/").split("/"))


def _find_child_schema(bundle: Bundle, schema: Node, step: str) -> Node:
    """The schema of an item or a property; an empty one where there is none."""
    schema = bundle.resolve(schema)
    found: Node = schema.get("items", {}) if step.isdigit() else {}
    for part in (schema, *map(bundle.resolve, schema.get("allOf", []))):
        found = part.get("properties", {}).get(step, found)
    return found


RULES = (
    reading_has_no_body,
    possible_statuses_are_documented,
    conditional_statuses_have_their_header,
    operations_have_one_success,
    errors_are_problems,
    responses_have_required_headers,
    conditional_reads_have_an_etag,
    parameters_are_described,
    pages_have_limit_and_cursor,
    deprecation_names_its_dates,
    links_resolve,
)
