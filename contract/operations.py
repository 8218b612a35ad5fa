"""Operations: one entry of the document, compiled, and bound to its function.

`Operation.read` turns a request into a call, `Operation.answer` calls the function and turns its reply into a
response; in between stands whoever commits. What the document asks for and this package could not enforce is
refused at start, with a sentence that names the operation.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

import orjson

from contract.bodies import Body, ensure_no_body
from contract.conditional import IfMatch, is_unchanged
from contract.cursors import CursorCodec
from contract.deprecation import build_deprecation_headers, find_deprecation_errors
from contract.edge import BODY_LIMIT_EXTENSION, MAX_BODY_BYTES
from contract.heavy_operations import find_weight_errors, is_heavy
from contract.negotiation import choose_media_type
from contract.parameters import Parameter, argument_name, parse_cookies, parse_query
from contract.responses import HandlerResult, Response, Responses
from contract.schemas import Schema, Schemas, find_unenforceable_schemas

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SAFE_IN_QUERY = "%/?:@!$&'()*+,;=-._~"
"""What may stand in a query (RFC 3986, section 3.4) and in the angle brackets of a Link header."""
_HEADERS_OF_THE_CONTRACT = frozenset(("if_none_match", "idempotency_key"))
"""Header parameters that the contract and the app act on themselves: a handler need not name them."""


class BadDocument(Exception):
    """The document and the code don't fit together; the application doesn't start."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the edge let it through: text decoded once, names of headers lower-case.

    `path` begins where the application is mounted. `prefix` is what stands in it before the path that the document
    names.
    """

    method: str
    path: str
    prefix: str
    path_values: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A request that keeps the document: what the function is called with, and who calls."""

    operation: "Operation"
    request: Request
    caller: Any
    arguments: dict[str, Any]
    media_type: str | None
    cursors: CursorCodec

    @property
    def idempotency_key(self) -> str | None:
        """The Idempotency-Key that was sent, if any."""
        return self.request.headers.get("idempotency-key") if self.operation.takes_idempotency_key else None

    def compute_fingerprint(self) -> str:
        """SHA-256 over what was asked: the path and the body's meaning, not its spelling."""
        asked = [self.request.path, self.arguments.get("body")]
        return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def encode_cursor(
        self, page_key: tuple[str | int, ...] | None, operation_id: str | None = None, **scope: object
    ) -> str | None:
        """The cursor for a position in this listing, or in the listing `of`; None at the end."""
        if page_key is None:
            return None
        listing = _describe_listing(operation_id, self.caller, scope) if operation_id else self.describe_listing()
        return self.cursors.encode(page_key, listing)

    def describe_listing(self) -> dict[str, object]:
        """What a cursor of this call is good for."""
        given = {name: value for name, value in self.arguments.items() if name not in ("limit", "cursor")}
        return _describe_listing(self.operation.id, self.caller, given)


def _describe_listing(operation_id: str, caller: Any, arguments: Mapping[str, object]) -> dict[str, object]:
    return {"of": operation_id, "for": getattr(caller, "user_id", None), "with": arguments}


class Operation:
    """One operation of the document, bound to its function."""

    def __init__(self, path: str, method: str, path_item: Schema, operation_object: Schema, schemas: Schemas) -> None:
        self.method = method
        self.path = path
        self._path_names = re.findall(r"\{(.*?)\}", path)
        # Matched from the end, whatever base path or prefix stands before it.
        self._path_pattern = re.compile(re.sub(r"\\\{.*?\\\}", "([^/]+)", re.escape(path)) + r"\Z")
        self.id: str = operation_object.get("operationId", "")
        self.extensions = {name: value for name, value in operation_object.items() if name.startswith("x-")}
        merged: dict[tuple[str, str], Schema] = {}
        for reference in (*path_item.get("parameters", ()), *operation_object.get("parameters", ())):
            parameter = schemas.resolve(reference)
            merged[parameter["name"], parameter["in"]] = parameter
        body = schemas.resolve(operation_object["requestBody"]) if "requestBody" in operation_object else None
        refusals = [
            f"{p['name']!r} {why}" for p in merged.values() if (why := Parameter.explain_unsupported(p, schemas))
        ]
        if body is not None and (why := Body.explain_unsupported(body, schemas)):
            refusals.append(why)
        refusals.extend(_find_parameter_clashes(self._path_names, merged, has_body=body is not None))
        refusals.extend(_find_unsupported_responses(operation_object, schemas))
        refusals.extend(find_deprecation_errors(operation_object))
        refusals.extend(find_weight_errors(operation_object))
        if refusals:
            raise BadDocument(f"Operation {self.id or method + ' ' + path}: {'; '.join(refusals)}.")
        parameters = [Parameter(parameter, schemas) for parameter in merged.values()]
        self._path_parameters = [p for p in parameters if p.location == "path"]
        self._query_parameters = {p.name: p for p in parameters if p.location == "query"}
        self._header_parameters = [p for p in parameters if p.location == "header"]
        self._cookie_parameters = [p for p in parameters if p.location == "cookie"]
        self._body = (
            Body(body, schemas, operation_object.get(BODY_LIMIT_EXTENSION, MAX_BODY_BYTES))
            if body is not None
            else None
        )
        announced = build_deprecation_headers(operation_object)
        self._responses = Responses(self.id, operation_object["responses"], schemas, announced)
        self.is_heavy = is_heavy(operation_object)
        self.takes_idempotency_key = any(p.argument == "idempotency_key" for p in self._header_parameters)
        self._supports_if_none_match = any(p.argument == "if_none_match" for p in self._header_parameters)
        self._function: Callable[..., HandlerResult]
        self._dependencies: dict[str, Callable[[Call], Any]] = {}
        self._header_arguments: frozenset[str] = frozenset()

    def match_path(self, path: str) -> tuple[str, dict[str, str]] | None:
        """(what stands before the document's path, the texts of the path's parameters); None for a foreign path."""
        match = self._path_pattern.search(path)
        return (path[: match.start()], dict(zip(self._path_names, match.groups(), strict=True))) if match else None

    def bind(self, function: Callable[..., HandlerResult], dependencies: Mapping[str, Callable[[Call], Any]]) -> None:
        """Bind the function by the names of its parameters: the document's, or what the application provides.

        Raises BadDocument when a name is neither, when a parameter of the document has no taker, or when one that
        may be absent has no default.
        """
        parameters = inspect.signature(function).parameters
        must_take = {
            p.argument: p for p in (*self._path_parameters, *self._query_parameters.values(), *self._cookie_parameters)
        }
        may_take = {p.argument: p for p in self._header_parameters}
        documented = {**must_take, **may_take}
        said = f"Operation {self.id}: its function {function.__module__}.{function.__qualname__}"
        for name, parameter in parameters.items():
            if name == "body" and self._body is not None:
                continue
            if name in documented:
                optional = not documented[name].required and documented[name].default is None and name != "if_match"
                if optional and parameter.default is parameter.empty:
                    raise BadDocument(f"{said} takes {name!r} without a default, and a request may lack it.")
            elif name in dependencies:
                self._dependencies[name] = dependencies[name]
            else:
                raise BadDocument(f"{said} takes {name!r}, which neither the document nor the application provides.")
        needed = {*must_take, *({"body"} if self._body is not None else ())}
        needed |= set(may_take) - _HEADERS_OF_THE_CONTRACT
        if missing := sorted(needed - set(parameters)):
            raise BadDocument(f"{said} does not take {', '.join(map(repr, missing))}, which the document names.")
        self._function = function
        self._header_arguments = frozenset(set(may_take) & set(parameters))

    def parse_request(self, request: Request, caller: Any, cursors: CursorCodec) -> Call:
        """The request as a call; raises a 4xx problem that says what breaks the document."""
        arguments: dict[str, Any] = {}
        media = choose_media_type(request.headers.get("accept"), self._responses.media_types)
        if self._body is not None:
            headers = request.headers
            coding = headers.get("content-encoding")
            arguments["body"] = self._body.parse(request.body, headers.get("content-type"), coding)
        else:
            ensure_no_body(request.body, MAX_BODY_BYTES)
        for parameter in self._path_parameters:
            arguments[parameter.argument] = parameter.parse([request.path_values[parameter.name]])
        parse_query(request.query, self._query_parameters, arguments)
        self._parse_headers(request.headers, arguments)
        if self._cookie_parameters:
            self._parse_cookies(request.headers.get("cookie", ""), arguments)
        call = Call(self, request, caller, arguments, media, cursors)
        if "cursor" in arguments:
            arguments["cursor"] = cursors.decode(arguments["cursor"], call.describe_listing())
        return call

    def execute(self, call: Call) -> Response:
        """Call the function and check what it answers; raises Breach, or whatever the function raises."""
        provided = {name: provide(call) for name, provide in self._dependencies.items()}
        reply = self._function(**provided, **call.arguments)
        headers: dict[str, str] = {}
        if reply.etag is not None:
            headers["etag"] = f'"{reply.etag}"'
            if self._supports_if_none_match:
                headers["cache-control"] = "private, no-cache"
            seen = call.request.headers.get("if-none-match") if self._supports_if_none_match else None
            if is_unchanged(seen, reply.etag):
                return self._responses.encode_not_modified(headers)
        if reply.location is not None:
            headers["location"] = call.request.prefix + reply.location
        if reply.next_query:
            headers["link"] = f'<{_build_next_page_url(call.request, reply.next_query)}>; rel="next"'
        return self._responses.encode(reply, headers, call.media_type)

    def encode_problem(self, problem: Any) -> Response:
        """A problem document for this operation, or a Breach when the document doesn't name its status."""
        return self._responses.encode_problem(problem)

    def _parse_headers(self, headers: Mapping[str, str], arguments: dict[str, Any]) -> None:
        for parameter in self._header_parameters:
            text = headers.get(parameter.key)
            if parameter.argument == "if_match":
                # Whether it is missing (428) is only said once the caller may know that the resource is there.
                if text is not None:
                    parameter.parse([text])
                arguments["if_match"] = IfMatch(text)
            elif text is not None:
                value = parameter.parse([text])
                if parameter.argument in self._header_arguments:
                    arguments[parameter.argument] = value
            elif parameter.required:
                raise parameter.build_missing_problem()
            elif parameter.default is not None and parameter.argument in self._header_arguments:
                arguments[parameter.argument] = parameter.default

    def _parse_cookies(self, header: str, arguments: dict[str, Any]) -> None:
        jar = parse_cookies(header)
        for parameter in self._cookie_parameters:
            if parameter.name in jar:
                arguments[parameter.argument] = parameter.parse([jar[parameter.name]])
            elif parameter.required:
                raise parameter.build_missing_problem()
            elif parameter.default is not None:
                arguments[parameter.argument] = parameter.default


def _build_next_page_url(request: Request, changes: Mapping[str, str]) -> str:
    pairs = [pair for pair in request.query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in changes]
    pairs += [f"{name}={text}" for name, text in changes.items()]
    return f"{quote(request.path)}?{quote('&'.join(pairs), safe=_SAFE_IN_QUERY)}"


def _find_parameter_clashes(
    path_names: list[str], parameters: Mapping[tuple[str, str], Schema], *, has_body: bool
) -> Iterator[str]:
    described = {name for name, place in parameters if place == "path"}
    for name in sorted(described ^ set(path_names)):
        yield f"{name!r} must stand in the path and among the parameters of the path"
    arguments = [argument_name(name) for name, _ in parameters] + ["body"] * has_body
    for argument in sorted({argument for argument in arguments if arguments.count(argument) > 1}):
        yield f"has two inputs that its function would know as {argument!r}"


def _find_unsupported_responses(operation_object: Schema, schemas: Schemas) -> Iterator[str]:
    for status, reference in operation_object.get("responses", {}).items():
        if not status.isdigit():
            yield f"has the response {status!r}; every status must be named"
        for media, content in schemas.resolve(reference).get("content", {}).items():
            if "schema" not in content:
                yield f"has a {media} response {status} without a schema"


def _explain_unsupported_security(security: list[dict[str, list[str]]], schemes: Mapping[str, Schema]) -> str | None:
    """Why nobody would enforce such a security as the document says, or None."""
    for number, alternative in enumerate(security, 1):
        for name, scopes in alternative.items():
            scheme = schemes.get(name, {})
            if (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "bearer"):
                return f"asks for {name!r}, which is no scheme for bearer tokens in the document"
            if scopes or len(alternative) > 1:
                return f"asks for {name!r} and for more: one scheme without scopes is supported"
        if not alternative and number < len(security):
            return "must name {} last: a token that is sent would not be looked at"
    return None


def _name_affected_operations(pointer: str, document: Schema, schemas: Schemas) -> str:
    """Which operations meet what stands at a JSON Pointer of the document: the first one's name, and how many more."""
    found = []
    for path, item in document["paths"].items():
        for method in item.keys() & set(METHODS):
            place = "#/paths/" + path.replace("~", "~0").replace("/", "~1")
            own = {f"{place}/{method}", f"{place}/parameters"}
            reached = own | _collect_references([item[method], item.get("parameters", [])], schemas)
            if any(pointer == start or pointer.startswith(start + "/") for start in reached):
                found.append(item[method].get("operationId", f"{method} {path}"))
    more = f" and {len(found) - 1} more" if found[1:] else ""
    return f"Operation {min(found)}{more}" if found else "No operation"


def _collect_references(node: object, schemas: Schemas) -> set[str]:
    """Every reference that is reached from a node."""
    reached: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in reached:
                reached.add(reference)
                pending.append(schemas.resolve(part))
            pending += part.values()
    return reached


def compile_operations(document: Schema, public_operations: frozenset[str]) -> dict[str, Operation]:
    """The document's operations by operationId; raises BadDocument for what could not be enforced.

    `public` names the operations that may be called without a token: any other must have effective security.
    """
    schemas = Schemas(document)
    if faults := [
        f"{_name_affected_operations(where, document, schemas)}: {fault}"
        for where, fault in find_unenforceable_schemas(document)
    ]:
        raise BadDocument(" ".join(faults))
    schemes = document.get("components", {}).get("securitySchemes", {})
    operations: dict[str, Operation] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = Operation(path, method, item, item[method], schemas)
            if not operation.id or operation.id in operations:
                raise BadDocument(f"{method.upper()} {path} needs an operationId of its own.")
            security = item[method].get("security", document.get("security", []))
            if why := _explain_unsupported_security(security, schemes):
                raise BadDocument(f"Operation {operation.id} {why}.")
            if operation.id not in public_operations and (not security or {} in security):
                raise BadDocument(
                    f"Operation {operation.id} can be called without a token and is not on the public list."
                )
            operations[operation.id] = operation
    return operations
