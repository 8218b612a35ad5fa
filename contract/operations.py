"""Compile the operations of the document and bind each to its function.

`Operation.parse_request` turns a request into a call. `Operation.execute` calls the function and encodes its result.
The commit step runs between the two. An operation is compiled at its first use: one that a process never serves costs
it nothing. `check_document` compiles them all, and finds the rules of a document that this package can't enforce; the
tests and the tools call it, so that a start needn't.
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
from contract.connexion_binding import METHODS
from contract.cursors import CursorCodec
from contract.deprecation import build_deprecation_headers, find_deprecation_errors
from contract.edge import BODY_LIMIT_EXTENSION, MAX_BODY_BYTES
from contract.event_streams import EVENT_STREAM
from contract.heavy_operations import HEAVY, find_weight, find_weight_errors
from contract.messages import Request, Response
from contract.negotiation import build_not_acceptable_problem, choose_media_type
from contract.parameters import Parameter, PathParameters, argument_name, parse_cookies, parse_query
from contract.preferences import DRY_RUN, has_preference
from contract.responses import HandlerResult, Responses
from contract.schemas import Schema, Schemas, find_unenforceable_schemas

_SAFE_IN_QUERY = "%/?:@!$&'()*+,;=-._~"
"""Characters that need no encoding in a query (RFC 3986, section 3.4) within the angle brackets of a Link header."""
_NOT_MODIFIED = 304
HEADERS_OF_THE_CONTRACT = frozenset(("if_none_match", "idempotency_key", "prefer"))
"""Header parameters that the contract and the commit step handle. A handler need not take them."""


class BadDocument(Exception):
    """Raised at start when the document and the code don't match."""


_NOT_BOUND_TO_CURSORS = frozenset({"limit", "cursor", "history", "wait"})


@dataclass(slots=True)
class Call:
    """A valid request: the caller and the arguments for the function."""

    operation: "Operation"
    request: Request
    caller: Any
    arguments: dict[str, Any]
    media_type: str | None
    cursors: CursorCodec

    @property
    def idempotency_key(self) -> str | None:
        """The Idempotency-Key of the request; None without one, or if the operation takes none."""
        return self.request.headers.get("idempotency-key") if self.operation.takes_idempotency_key else None

    @property
    def is_dry_run(self) -> bool:
        """Whether the request asks what it would do, and must change nothing."""
        prefer = self.request.headers.get("prefer")
        return prefer is not None and self.operation.takes_preferences and has_preference(prefer, DRY_RUN)

    def compute_fingerprint(self, *more: str) -> str:
        """Compute the SHA-256 of path, parsed body and what else is given: equivalent JSON has the same fingerprint."""
        content = [self.request.path, self.arguments.get("body"), *more]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def encode_cursor(
        self, page_key: tuple[str | int, ...] | None, operation_id: str | None = None, **arguments: object
    ) -> str | None:
        """Encode a page key of this listing, or of another operation with `arguments`; None for no next page."""
        if page_key is None:
            return None
        listing = _describe_listing(operation_id, self.caller, arguments) if operation_id else self.describe_listing()
        return self.cursors.encode(page_key, listing)

    def describe_listing(self) -> dict[str, object]:
        """Return what a cursor of this call is bound to: operation, caller and filters.

        The history that a client knows is checked by itself, and is not known when the first page is asked for.
        """
        filters = {name: value for name, value in self.arguments.items() if name not in _NOT_BOUND_TO_CURSORS}
        return _describe_listing(self.operation.id, self.caller, filters)


def _describe_listing(operation_id: str, caller: Any, arguments: Mapping[str, object]) -> dict[str, object]:
    return {"of": operation_id, "for": getattr(caller, "audience", None), "with": arguments}


class Operation:
    """One operation of the document, bound to its function."""

    def __init__(self, path: str, method: str, path_item: Schema, operation_object: Schema, schemas: Schemas) -> None:
        self.id: str = operation_object.get("operationId", "")
        self.path = schemas.base_path + path
        """The path template, with the base path."""
        self.route = f"{method.upper()} {path}"
        """Method and path template, without the base path."""
        self._base_path = schemas.base_path
        self.extensions = {name: value for name, value in operation_object.items() if name.startswith("x-")}
        parameter_objects = _merge_parameters(path_item, operation_object, schemas)
        body = schemas.resolve(operation_object["requestBody"]) if "requestBody" in operation_object else None
        parameters = [Parameter(parameter_object, schemas) for parameter_object in parameter_objects.values()]
        self._path_parameters = PathParameters([p for p in parameters if p.location == "path"], schemas)
        self._query_parameters = {p.name: p for p in parameters if p.location == "query"}
        self._header_parameters = [p for p in parameters if p.location == "header"]
        self._cookie_parameters = [p for p in parameters if p.location == "cookie"]
        self._body = (
            Body(body, schemas, operation_object.get(BODY_LIMIT_EXTENSION, MAX_BODY_BYTES))
            if body is not None
            else None
        )
        deprecation_headers = build_deprecation_headers(operation_object)
        self._responses = Responses(self.id, operation_object["responses"], schemas, deprecation_headers)
        self.is_heavy = find_weight(operation_object) == HEAVY
        self.takes_idempotency_key = any(p.argument == "idempotency_key" for p in self._header_parameters)
        self.takes_preferences = any(p.argument == "prefer" for p in self._header_parameters)
        self._supports_if_none_match = any(p.argument == "if_none_match" for p in self._header_parameters)
        self._function: Callable[..., HandlerResult]
        self._dependencies: dict[str, Callable[[Call], Any]] = {}
        self._header_arguments: frozenset[str] = frozenset()

    def bind(self, function: Callable[..., HandlerResult], dependencies: Mapping[str, Callable[[Call], Any]]) -> None:
        """Bind the function. Each of its parameters is named like a parameter of the document or like a dependency.

        Raises:
            BadDocument: The function takes an unknown name, lacks a parameter of the document, or takes an optional one
                without a default.
        """
        parameters = inspect.signature(function).parameters
        must_take = {
            p.argument: p
            for p in (*self._path_parameters.all, *self._query_parameters.values(), *self._cookie_parameters)
        }
        may_take = {p.argument: p for p in self._header_parameters}
        documented = {**must_take, **may_take}
        subject = f"Operation {self.id}: its function {function.__module__}.{function.__qualname__}"
        for name, parameter in parameters.items():
            if name == "body" and self._body is not None:
                continue
            if name in documented:
                may_be_absent = (
                    not documented[name].required and documented[name].default is None and name != "if_match"
                )
                if may_be_absent and parameter.default is parameter.empty:
                    raise BadDocument(f"{subject} takes {name!r} without a default, and a request may lack it.")
            elif name in dependencies:
                self._dependencies[name] = dependencies[name]
            else:
                raise BadDocument(f"{subject} takes {name!r}, which neither the document nor the application provides.")
        needed = {*must_take, *({"body"} if self._body is not None else ())}
        needed |= set(may_take) - HEADERS_OF_THE_CONTRACT
        if missing := sorted(needed - set(parameters)):
            raise BadDocument(f"{subject} does not take {', '.join(map(repr, missing))}, which the document names.")
        self._function = function
        self._header_arguments = frozenset(set(may_take) & set(parameters))

    def parse_request(
        self, request: Request, path_values: Mapping[str, str], caller: Any, cursors: CursorCodec
    ) -> Call:
        """Parse and validate a request. Raises Problem (4xx) for a request that violates the document."""
        arguments: dict[str, Any] = {}
        responses = self._responses
        offered = responses.media_types if request.context.can_stream else responses.finite_media_types
        media_type = choose_media_type(request.headers.get("accept"), offered)
        if self._body is not None:
            headers = request.headers
            content_encoding = headers.get("content-encoding")
            arguments["body"] = self._body.parse(request.body, headers.get("content-type"), content_encoding)
        else:
            ensure_no_body(request.body, MAX_BODY_BYTES)
        self._path_parameters.parse(path_values, arguments)
        parse_query(request.query, self._query_parameters, arguments)
        self._parse_headers(request.headers, arguments)
        if self._cookie_parameters:
            self._parse_cookies(request.headers.get("cookie", ""), arguments)
        call = Call(self, request, caller, arguments, media_type, cursors)
        if "cursor" in arguments:
            arguments["cursor"] = cursors.decode(arguments["cursor"], call.describe_listing())
        return call

    def execute(self, call: Call) -> Response:
        """Call the function and encode its result. Raises ContractBreach, or what the function raises."""
        arguments = call.arguments.copy()
        for name, build_dependency in self._dependencies.items():
            arguments[name] = build_dependency(call)
        result = self._function(**arguments)
        if call.media_type == EVENT_STREAM:
            return self._encode_stream(result)
        response = self._encode(call, result)
        position = result.feed_position
        if (
            position is not None
            and position.wait_seconds
            and (response.status == _NOT_MODIFIED or not position.has_news)
        ):
            response.feed_position = position
        return response

    def _encode_stream(self, result: HandlerResult) -> Response:
        """Encode the beginning of a stream. Raises Problem if the client asks for what ends."""
        if result.feed_position is None:
            raise build_not_acceptable_problem(self._responses.finite_media_types)
        response = self._responses.encode_stream(result, {} if result.etag is None else {"etag": f'"{result.etag}"'})
        response.feed_position = result.feed_position
        return response

    def _encode(self, call: Call, result: HandlerResult) -> Response:
        headers: dict[str, str] = {}
        if result.etag is not None:
            headers["etag"] = f'"{result.etag}"'
            if self._supports_if_none_match:
                headers["cache-control"] = "private, no-cache"
                if is_unchanged(call.request.headers.get("if-none-match"), result.etag):
                    return self._responses.encode_not_modified(headers)
        if result.location is not None:
            headers["location"] = self._base_path + result.location
        if result.next_query:
            headers["link"] = f'<{_build_next_page_url(call.request, result.next_query)}>; rel="next"'
        return self._responses.encode(result, headers, call.media_type)

    def encode_problem(self, problem: Any) -> Response:
        """Encode a problem. Raises ContractBreach if the operation does not declare its status."""
        return self._responses.encode_problem(problem)

    def _parse_headers(self, headers: Mapping[str, str], arguments: dict[str, Any]) -> None:
        for parameter in self._header_parameters:
            text = headers.get(parameter.key)
            if parameter.argument == "if_match":
                # The handler reports a missing If-Match (428), once it knows that the caller may see the resource.
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
        cookies = parse_cookies(header)
        for parameter in self._cookie_parameters:
            if parameter.name in cookies:
                arguments[parameter.argument] = parameter.parse([cookies[parameter.name]])
            elif parameter.required:
                raise parameter.build_missing_problem()
            elif parameter.default is not None:
                arguments[parameter.argument] = parameter.default


def _build_next_page_url(request: Request, changes: Mapping[str, str]) -> str:
    pairs = [pair for pair in request.query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in changes]
    pairs += [f"{name}={text}" for name, text in changes.items()]
    return f"{quote(request.path)}?{quote('&'.join(pairs), safe=_SAFE_IN_QUERY)}"


def _merge_parameters(path_item: Schema, operation_object: Schema, schemas: Schemas) -> dict[tuple[str, str], Schema]:
    """Return the Parameter Objects by name and location. Those of the operation win over those of its path item."""
    merged: dict[tuple[str, str], Schema] = {}
    for reference in (*path_item.get("parameters", ()), *operation_object.get("parameters", ())):
        parameter = schemas.resolve(reference)
        merged[parameter["name"], parameter["in"]] = parameter
    return merged


def _find_errors(path: str, path_item: Schema, operation_object: Schema, schemas: Schemas) -> Iterator[str]:
    """Yield why this package can't enforce what the document says about an operation, as ends of sentences."""
    path_names = re.findall(r"\{(.*?)\}", path)
    parameters = _merge_parameters(path_item, operation_object, schemas)
    body = schemas.resolve(operation_object["requestBody"]) if "requestBody" in operation_object else None
    for parameter in parameters.values():
        if reason := Parameter.explain_unsupported(parameter, schemas):
            yield f"{parameter['name']!r} {reason}"
    if body is not None and (reason := Body.explain_unsupported(body, schemas)):
        yield reason
    yield from _find_parameter_clashes(path_names, parameters, has_body=body is not None)
    yield from _find_unsupported_responses(operation_object, schemas)
    yield from find_deprecation_errors(operation_object)
    yield from find_weight_errors(operation_object)


def _find_parameter_clashes(
    path_names: list[str], parameters: Mapping[tuple[str, str], Schema], *, has_body: bool
) -> Iterator[str]:
    documented_names = {name for name, location in parameters if location == "path"}
    for name in sorted(documented_names ^ set(path_names)):
        yield f"{name!r} must stand in the path and among the parameters of the path"
    arguments = [argument_name(name) for name, _ in parameters] + ["body"] * has_body
    for argument in sorted({argument for argument in arguments if arguments.count(argument) > 1}):
        yield f"has two inputs that its function would know as {argument!r}"


def _find_unsupported_responses(operation_object: Schema, schemas: Schemas) -> Iterator[str]:
    for status, reference in operation_object.get("responses", {}).items():
        if not status.isdigit():
            yield f"has the response {status!r}; every status must be named"
        contents = schemas.resolve(reference).get("content", {})
        for media_type, content in contents.items():
            if "schema" not in content:
                yield f"has a {media_type} response {status} without a schema"
        if EVENT_STREAM in contents and "application/json" not in contents:
            yield f"has a {EVENT_STREAM} response {status} without the JSON that its messages are made of"


def _explain_unsupported_security(security: list[dict[str, list[str]]], schemes: Mapping[str, Schema]) -> str | None:
    """Return why such security requirements could not be enforced, as the end of a sentence; None if they can."""
    for number, requirement in enumerate(security, 1):
        for name, scopes in requirement.items():
            scheme = schemes.get(name, {})
            if (scheme.get("type"), str(scheme.get("scheme")).lower()) != ("http", "bearer"):
                return f"asks for {name!r}, which is no scheme for bearer tokens in the document"
            if scopes or len(requirement) > 1:
                return f"asks for {name!r} and for more: one scheme without scopes is supported"
        if not requirement and number < len(security):
            return "must name {} last: a token that is sent would not be looked at"
    return None


def _name_affected_operations(pointer: str, document: Schema, schemas: Schemas) -> str:
    """Name the first operation that uses the part of the document at a pointer, and the number of others."""
    operation_ids = []
    for path, path_item in document["paths"].items():
        for method in path_item.keys() & set(METHODS):
            path_pointer = "#/paths/" + path.replace("~", "~0").replace("/", "~1")
            own_pointers = {f"{path_pointer}/{method}", f"{path_pointer}/parameters"}
            used_pointers = own_pointers | _collect_references(
                [path_item[method], path_item.get("parameters", [])], schemas
            )
            if any(pointer == start or pointer.startswith(start + "/") for start in used_pointers):
                operation_ids.append(path_item[method].get("operationId", f"{method} {path}"))
    others = f" and {len(operation_ids) - 1} more" if operation_ids[1:] else ""
    return f"Operation {min(operation_ids)}{others}" if operation_ids else "No operation"


def _collect_references(node: object, schemas: Schemas) -> set[str]:
    """Collect all references that are reachable from a node."""
    references: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in references:
                references.add(reference)
                pending.append(schemas.resolve(part))
            pending += part.values()
    return references


def check_document(
    document: Schema, functions: Mapping[str, Callable[..., HandlerResult]], dependencies: Mapping[str, Any]
) -> None:
    """Ensure that the document has no rule that this package can't enforce, and that every function can be bound.

    Raises:
        BadDocument: The document, or a function, is wrong. The message names the operation.
    """
    if errors := [
        f"{_name_affected_operations(pointer, document, Schemas(document))}: {sentence}"
        for pointer, sentence in find_unenforceable_schemas(document)
    ]:
        raise BadDocument(" ".join(errors))
    operations = Operations(document, functions, dependencies)
    schemes = document.get("components", {}).get("securitySchemes", {})
    operation_ids: set[str] = set()
    for path, method, operation_object in list_operations(document):
        operation_id = operation_object.get("operationId", "")
        if errors := [*_find_errors(path, document["paths"][path], operation_object, operations.schemas)]:
            raise BadDocument(f"Operation {operation_id or f'{method} {path}'}: {'; '.join(errors)}.")
        if not operation_id or operation_id in operation_ids:
            raise BadDocument(f"{method.upper()} {path} needs an operationId of its own.")
        operation_ids.add(operation_id)
        security = operation_object.get("security") or document.get("security", [])
        if reason := _explain_unsupported_security(security, schemes):
            raise BadDocument(f"Operation {operation_id} {reason}.")
    if unbound := sorted(operation_ids - functions.keys()):
        raise BadDocument(f"The document has operations without a function: {', '.join(unbound)}.")
    if unknown := sorted(functions.keys() - operation_ids):
        raise BadDocument(f"There are functions without an operation in the document: {', '.join(unknown)}.")
    operations.compile_all()


def ensure_only_these_are_public(document: Schema, public_operations: frozenset[str]) -> None:
    """Ensure that every operation needs a token, except for those with these operationIds.

    Raises:
        BadDocument: Another operation can be called without a token.
    """
    for _, _, operation_object in list_operations(document):
        security = operation_object.get("security", document.get("security", []))
        operation_id = operation_object.get("operationId")
        if operation_id not in public_operations and (not security or {} in security):
            raise BadDocument(f"Operation {operation_id} can be called without a token and is not on the public list.")


def list_operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield path, method and Operation Object of each operation of a document."""
    for path, path_item in document["paths"].items():
        for method in METHODS:
            if method in path_item:
                yield path, method, path_item[method]


class Operations:
    """The operations of a document, each compiled and bound to its function at its first use."""

    def __init__(
        self,
        document: Schema,
        functions: Mapping[str, Callable[..., HandlerResult]],
        dependencies: Mapping[str, Callable[[Call], Any]],
    ) -> None:
        self.schemas = Schemas(document)
        self._document = document
        self._functions = functions
        self._dependencies = {
            "encode_cursor": lambda call: call.encode_cursor,
            "media_type": lambda call: call.media_type,
            **dependencies,
        }
        self._locations = {
            operation_object.get("operationId", ""): (path, method)
            for path, method, operation_object in list_operations(document)
        }
        self._compiled: dict[str, Operation] = {}

    def get(self, operation_id: str) -> Operation:
        """Return a compiled operation. Raises BadDocument if its function can't be bound."""
        operation = self._compiled.get(operation_id)
        if operation is None:
            # Threads that compile the same operation at once get equal ones.
            path, method = self._locations[operation_id]
            path_item = self._document["paths"][path]
            operation = Operation(path, method, path_item, path_item[method], self.schemas)
            operation.bind(self._functions[operation_id], self._dependencies)
            self._compiled[operation_id] = operation
        return operation

    def find_weight(self, operation_id: str) -> str | None:
        """Return the weight of an operation, without compiling it."""
        path, method = self._locations[operation_id]
        return find_weight(self._document["paths"][path][method])

    def compile_all(self) -> None:
        """Compile all operations, for a process that is copied before its first request."""
        for operation_id in self._locations:
            self.get(operation_id)
