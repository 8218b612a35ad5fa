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
    """Forbid bodies of GET and DELETE: what they mean is undefined."""
    for operation in bundle.operations:
        if operation.method in ("get", "head", "delete") and "requestBody" in operation.node:
            yield (*operation.pointer, "requestBody"), f"{operation.method.upper()} has no body."


def possible_statuses_are_documented(bundle: Bundle) -> Violations:
    """Require the statuses that the edge, the contract and the store can return, whatever the handler does."""
    for operation in bundle.operations:
        documented = {str(status) for status in operation.node.get("responses", {})}
        if missing := sorted(_possible_statuses(bundle, operation) - documented):
            yield (
                (*operation.pointer, "responses"),
                f"{operation.id} can also return {', '.join(missing)}: document it.",
            )


def _possible_statuses(bundle: Bundle, operation: Operation) -> set[str]:
    possible = {"400", "413", "414", "431", "500"}
    names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
    if operation.node.get("security", bundle.document.get("security")):
        possible |= {"401", "403", "429", "503"}
    if "{" in operation.path:
        possible |= {"404"}
    if "requestBody" in operation.node:
        possible |= {"415"}
    if any(response.get("content") for _, status, response in bundle.responses(operation) if status.startswith("2")):
        possible |= {"406"}
    if "If-Match" in names:
        possible |= {"412", "428"}
    if "If-None-Match" in names:
        possible |= {"304"}
    if "Idempotency-Key" in names:
        possible |= {"422"}
    return possible


def conditional_statuses_have_their_header(bundle: Bundle) -> Violations:
    """Require the header without which a conditional status can't happen."""
    header_by_status = {"412": "If-Match", "428": "If-Match", "304": "If-None-Match"}
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        for status, header in header_by_status.items():
            if status in operation.node.get("responses", {}) and header not in names:
                yield (*operation.pointer, "responses", status), f"{status} can't happen without {header}."


def _response_schemas(bundle: Bundle, response: Node) -> Node:
    """Return the schema of each media type of a response."""
    content_by_media_type = bundle.resolve(response).get("content", {})
    return {
        media: content.get("schema") for media, content in content_by_media_type.items() if isinstance(content, dict)
    }


def operations_have_one_success(bundle: Bundle) -> Violations:
    """Require one success per operation, or 200 and 201 with the same schema: generated clients return one type."""
    for operation in bundle.operations:
        responses = operation.node.get("responses", {})
        successes = [str(status) for status in responses if str(status).startswith("2")]
        shapes = {
            repr(_response_schemas(bundle, responses[status])) for status in successes if successes == ["200", "201"]
        }
        if len(successes) != 1 and len(shapes) != 1:
            yield (
                (*operation.pointer, "responses"),
                f"{operation.id} documents {len(successes)} successes; document one.",
            )


def errors_are_problems(bundle: Bundle) -> Violations:
    """Require problem documents for errors, and a body exactly where the status can have one."""
    for operation in bundle.operations:
        for at, status, response in bundle.responses(operation):
            medias = set(response.get("content", {}))
            if status.isdigit() and int(status) >= _LOWEST_ERROR_STATUS and medias != {PROBLEM}:
                yield at, f"{status} must be {PROBLEM}, and nothing else."
            if status in _STATUSES_WITHOUT_BODY and medias:
                yield at, f"{status} has no body."
            if status.startswith("2") and status not in _STATUSES_WITHOUT_BODY and not medias:
                yield at, f"{status} has no body here: describe one, or use 204."


def responses_have_required_headers(bundle: Bundle) -> Violations:
    """Require the headers that a client needs: where the new resource is, when to retry, the id of the request."""
    for operation in bundle.operations:
        for at, status, response in bundle.responses(operation):
            needed = _COMMON_HEADERS | _HEADERS_BY_STATUS.get(status, set())
            if missing := sorted(needed - set(response.get("headers", {}))):
                yield at, f"{status} comes with {', '.join(missing)}: describe it."


def conditional_reads_have_an_etag(bundle: Bundle) -> Violations:
    """Require an ETag where a response can be requested with If-None-Match."""
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        for at, status, response in bundle.responses(operation):
            if status == "200" and "If-None-Match" in names and "ETag" not in response.get("headers", {}):
                yield at, "This operation takes If-None-Match, but the response has no ETag."


def parameters_are_described(bundle: Bundle) -> Violations:
    """Require descriptions of parameters and headers, and forbid those that OpenAPI ignores, and cookies."""
    for at, node in bundle.parameters_and_headers():
        if not str(node.get("description", "")).strip():
            yield at, "Say in a description what this is for."
        if node.get("in") == "header" and str(node.get("name", "")).lower() in (
            "authorization",
            "accept",
            "content-type",
        ):
            yield at, "OpenAPI ignores a header parameter of this name."
        if node.get("in") == "cookie":
            yield at, "This API uses no cookies."


def pages_have_limit_and_cursor(bundle: Bundle) -> Violations:
    """Require `limit` and `next_cursor` of every operation with a cursor.

    A document in parts, such as an export, is not a list of items, and decides itself how large a part is. So is what
    changed since a seq, which says with `has_more` whether there are more parts, and what is stored about a user, which
    has an array for each kind of thing (`x-tackboard-in-parts`).
    """
    for operation in bundle.operations:
        names = {parameter.get("name") for _, parameter in bundle.parameters(operation)}
        if "cursor" not in names:
            continue
        for at, status, response in bundle.responses(operation):
            schema = bundle.resolve(response.get("content", {}).get("application/json", {}).get("schema", {}))
            has_mark = not {"x-tackboard-foreign", "x-tackboard-in-parts"}.isdisjoint(schema)
            in_parts = has_mark or "has_more" in schema.get("required", [])
            needed = {"next_cursor"} if in_parts else {"items", "next_cursor"}
            if status == "200" and not needed <= set(schema.get("required", [])):
                yield at, "A page must require items and next_cursor."
            if status == "200" and not in_parts and "limit" not in names:
                yield operation.pointer, f"{operation.id} takes a cursor, but no limit."


def deprecation_names_its_dates(bundle: Bundle) -> Violations:
    """Require the dates of a deprecation and its end, in the document and in the headers of every response."""
    for operation in bundle.operations:
        since, sunset = (str(operation.node.get(name, "")) for name in (DEPRECATED_SINCE, SUNSET))
        if not operation.node.get("deprecated"):
            if since or sunset:
                yield operation.pointer, f"{operation.id} has a date of its end: add deprecated: true."
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
    """Require that links name an existing operation, parameters that it takes, and values that the response has."""
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
    parameters = {str(parameter.get("name")): parameter for _, parameter in bundle.parameters(target)}
    names = {
        str(key).removeprefix("path.").removeprefix("query.").removeprefix("header.") for key in link["parameters"]
    }
    for name in sorted(names - parameters.keys()):
        yield (*pointer, "parameters"), f"{target.id} takes no parameter {name!r}."
    for name, parameter in parameters.items():
        if parameter.get("in") == "path" and name not in names:
            yield (*pointer, "parameters"), f"{target.id} needs {name!r}, which this link does not set."
    for key, expression in link["parameters"].items():
        if (
            isinstance(expression, str)
            and expression.startswith("$")
            and not _expression_resolves(bundle, expression, response)
        ):
            yield (*pointer, "parameters", key), f"The response has nothing at {expression}."


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
    """Return the schema of an item or a property, or an empty one."""
    schema = bundle.resolve(schema)
    child: Node = schema.get("items", {}) if step.isdigit() else {}
    for part in (schema, *map(bundle.resolve, schema.get("allOf", []))):
        child = part.get("properties", {}).get(step, child)
    return child


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
