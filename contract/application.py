"""Build the ASGI application of an OpenAPI document, with connexion's public extension points only.

connexion loads the document, binds each operationId to its function (`Resolver`), routes (`RoutingMiddleware`),
authenticates (`SecurityMiddleware`) and handles uncaught exceptions (`ExceptionMiddleware`). Its layers for validation
and parameter decorators are not used: one `RoutedMiddleware` parses the request, calls the function and validates the
result.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from starlette.exceptions import HTTPException

from contract.bridge import AsgiApp, Message, prefix_path, run_synchronously
from contract.cursors import CursorCodec
from contract.heavy_operations import HeavyOperationLimiter
from contract.lazy_connexion import import_without_package_init
from contract.operations import METHODS, BadDocument, Call, Operation, Request, compile_operations
from contract.problems import PROBLEM_JSON, Problem, authentication_required, internal_error
from contract.request_context import set_request_context
from contract.responses import ContractBreach, HandlerResult, Response
from contract.route_tree import RouteTree
from contract.schemas import Schema

with import_without_package_init("connexion", stubs=("httpx", "requests")), warnings.catch_warnings():
    # connexion imports deprecated names of jsonschema. Nothing here uses them.
    warnings.simplefilter("ignore", DeprecationWarning)
    from connexion.exceptions import OAuthProblem, ProblemException
    from connexion.lifecycle import ConnexionResponse
    from connexion.middleware import ConnexionMiddleware
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.exceptions import ExceptionMiddleware
    from connexion.middleware.routing import RoutingMiddleware
    from connexion.middleware.security import SecurityMiddleware
    from connexion.operations import AbstractOperation
    from connexion.resolver import Resolver
    from connexion.security import NO_VALUE, AbstractSecurityHandler
    from connexion.spec import OpenAPISpecification

log = logging.getLogger("tackboard")

_NOT_BEARER_DETAIL = "The scheme is missing: Authorization must be the word Bearer, a blank and the token."
_NO_SUCH_PATH_DETAIL = (
    "There is nothing here. The document, /openapi.json, has all paths of the API; none of them ends in a slash."
)


class CommitStep(Protocol):
    """Run a handler and commit the change in its result: may retry, replay a stored response, or raise."""

    def __call__(self, call: Call, handle: Callable[[], Response], /) -> Response:
        """Return the response to send.

        Each call of `handle` calls the handler again and validates its result.
        """


def build(
    document: Schema,
    functions: Mapping[str, Callable[..., HandlerResult]],
    *,
    dependencies: Mapping[str, Callable[[Call], Any]],
    authenticate: Callable[[str], Any],
    commit: CommitStep,
    to_problem: Callable[[Exception], Problem | None],
    cursors: CursorCodec,
    public_operations: frozenset[str],
    admit: Callable[[Any], None] = lambda _: None,
    on_breach: Callable[[ContractBreach], None] = lambda _: None,
) -> AsgiApp:
    """Build the ASGI application of an OpenAPI document.

    Args:
        document: The OpenAPI document, parsed and bundled.
        functions: The handler of each operationId.
        dependencies: What a handler may take besides the parameters of the document: by name, a factory that gets
            the call.
        authenticate: Returns the caller of a bearer token, None for an invalid token.
        commit: Runs a handler and commits the change in its result.
        to_problem: Turns an error of the domain into a problem; returns None for any other error.
        cursors: Encodes and decodes the cursors of paged listings.
        public_operations: The operationIds that may be called without a token.
        admit: Raises a problem for a caller who exceeds a limit, such as the rate limit.
        on_breach: Called with every result that violates the document.

    Raises:
        BadDocument: The document and the functions do not match.
    """
    operations = compile_operations(document, public_operations)
    _ensure_functions_match_operations(operations, functions)
    dependencies = {
        "encode_cursor": lambda call: call.encode_cursor,
        "media_type": lambda call: call.media_type,
        **dependencies,
    }
    for operation in operations.values():
        operation.bind(functions[operation.id], dependencies)
    # The document is validated when it is bundled. Validating it at every start would only cost time.
    OpenAPISpecification.openapi_schema = {}
    app = ConnexionMiddleware(
        _ContractMiddleware(),
        middlewares=[ExceptionMiddleware, _RoutingMiddleware, SecurityMiddleware],
        resolver=Resolver(functions.__getitem__),
        security_map={"bearer": _build_bearer_handler(authenticate)},
    )
    runner = _OperationRunner(admit, commit, to_problem, cursors, on_breach)
    app.add_api(_build_routing_document(document), operations=operations, runner=runner)

    async def on_http_error(request: Any, error: HTTPException) -> ConnexionResponse:
        # For a 405, the router has already moved the base path of the document into root_path.
        path = request.scope["path"].removeprefix(request.scope["root_path"])
        return _to_connexion_response(_build_routing_problem(error.status_code, path, operations))

    async def on_oauth_error(request: Any, error: OAuthProblem) -> ConnexionResponse:
        # The endpoint is not reached, so the request log learns the operation here. In ASGI, extensions are optional.
        operation_id = request.scope.get("extensions", {}).get("connexion_routing", {}).get("operation_id")
        if (operation := operations.get(operation_id)) and (match := operation.match_path(request.scope["path"])):
            set_request_context(operation=operation, prefix=match[0], path_values=match[1])
        return _to_connexion_response(authentication_required(f"{error.detail}."))

    async def on_crash(_: Any, error: Exception) -> ConnexionResponse:
        log.error("A request failed: %r", error, exc_info=error)
        return _to_connexion_response(internal_error())

    app.add_error_handler(HTTPException, on_http_error)
    app.add_error_handler(OAuthProblem, on_oauth_error)
    app.add_error_handler(ProblemException, on_crash)
    app.add_error_handler(Exception, on_crash)
    # connexion builds its middleware stack at the first message. An empty one saves the first request that time.
    run_synchronously(app({"type": "lifespan"}, _ignore_message, _ignore_message))
    asgi_app: AsgiApp = app
    return asgi_app


def _build_routing_document(document: Schema) -> Schema:
    """Reduce a document to what connexion needs: routes, operationIds and security.

    connexion would copy the rest and resolve all its references.
    """
    components: Schema = {"securitySchemes": document.get("components", {}).get("securitySchemes", {})}
    paths = {
        path: {method: _keep_routing_keys(item[method]) for method in METHODS if method in item}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "components": components}


def _keep_routing_keys(operation: Schema) -> Schema:
    return {"responses": {}} | {name: operation[name] for name in ("operationId", "security") if name in operation}


async def _ignore_message(*_: Any) -> Any:
    return {}


def _ensure_functions_match_operations(operations: Mapping[str, Operation], functions: Mapping[str, object]) -> None:
    if unbound := sorted(operations.keys() - functions.keys()):
        raise BadDocument(f"The document has operations without a function: {', '.join(unbound)}.")
    if unknown := sorted(functions.keys() - operations.keys()):
        raise BadDocument(f"There are functions without an operation in the document: {', '.join(unknown)}.")


class _OperationRunner:
    """Process a request of one operation: parse it, run and commit it, and turn errors into responses."""

    def __init__(
        self,
        admit: Callable[[Any], None],
        commit: CommitStep,
        to_problem: Callable[[Exception], Problem | None],
        cursors: CursorCodec,
        on_breach: Callable[[ContractBreach], None],
    ) -> None:
        self._admit = admit
        self._commit = commit
        self._to_problem = to_problem
        self._cursors = cursors
        self._on_breach = on_breach
        self._heavy_operations = HeavyOperationLimiter()

    def __call__(self, operation: Operation, request: Request, token_info: Mapping[str, Any]) -> Response:
        """Return the response; a known error becomes its problem, any other is raised."""
        try:
            return self._run(operation, request, token_info)
        except ContractBreach as breach:
            return self._build_breach_response(breach)
        except Exception as error:
            problem = error if isinstance(error, Problem) else self._to_problem(error)
            if problem is None:
                raise
            return self._build_problem_response(operation, problem)

    def _run(self, operation: Operation, request: Request, token_info: Mapping[str, Any]) -> Response:
        if "error" in token_info:
            raise token_info["error"]
        caller = token_info.get("caller")
        if caller is not None:
            self._admit(caller)
        with self._heavy_operations.acquire(heavy=operation.is_heavy):
            call = operation.parse_request(request, caller, self._cursors)
            return self._commit(call, lambda: operation.execute(call))

    def _build_problem_response(self, operation: Operation, problem: Problem) -> Response:
        try:
            return operation.encode_problem(problem)
        except ContractBreach as breach:
            return self._build_breach_response(breach)

    def _build_breach_response(self, breach: ContractBreach) -> Response:
        log.error("A response violates the document: %s", breach)
        self._on_breach(breach)
        return Response(500, (("content-type", PROBLEM_JSON),), internal_error().encode())


class _Endpoint:
    """The ASGI endpoint of one operation, called by connexion's routed middleware."""

    def __init__(self, operation: Operation, runner: _OperationRunner) -> None:
        self._operation = operation
        self._runner = runner

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        body = (await receive())["body"]
        path = scope["path"].removeprefix(scope["root_path"])
        match = self._operation.match_path(path)
        if match is None:
            raise HTTPException(404)
        prefix, path_values = match
        request = Request(
            method=scope["method"],
            path=path,
            prefix=prefix,
            path_values=path_values,
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
        )
        token_info = scope["extensions"].get("connexion_context", {}).get("token_info", {})
        set_request_context(
            operation=self._operation, prefix=prefix, path_values=path_values, caller=token_info.get("caller")
        )
        response = self._runner(self._operation, request, token_info)
        headers: Iterable[tuple[str, str]] = response.headers
        if scope["root_path"]:
            headers = _add_prefix_to_headers(prefix_path(scope), headers)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        await send({"type": "http.response.body", "body": response.body})


def _add_prefix_to_headers(prefix: str, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the headers, with a prefix before the paths in Location and Link.

    The prefix is added last, so that a stored response can be replayed wherever the application is mounted.
    """
    for name, value in headers:
        if name == "location":
            yield name, prefix + value
        elif name == "link":
            yield name, f"<{prefix}{value.removeprefix('<')}"
        else:
            yield name, value


class _ContractAPI(RoutedAPI[_Endpoint]):  # type: ignore[misc] # connexion is untyped.
    """The endpoints of one document's operations."""

    def __init__(
        self,
        *args: Any,
        operations: Mapping[str, Operation],
        runner: _OperationRunner,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._contract_operations = operations
        self._runner = runner
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _Endpoint:
        """Make the endpoint of an operation. connexion calls this once it has resolved the function."""
        return _Endpoint(self._contract_operations[operation.operation_id], self._runner)


class _ContractMiddleware(RoutedMiddleware[_ContractAPI]):  # type: ignore[misc] # connexion is untyped.
    """The innermost ASGI application: routes to the endpoints, else 404."""

    api_cls = _ContractAPI

    def __init__(self) -> None:
        super().__init__(_raise_not_found)


async def _raise_not_found(scope: Message, *_: Any) -> None:
    if scope["type"] == "http":
        raise HTTPException(404)


class _RoutingMiddleware(RoutingMiddleware):  # type: ignore[misc] # connexion is untyped.
    """connexion's routing with a route tree and without redirects: a path with an extra slash is a 404."""

    def add_api(self, *args: Any, **kwargs: Any) -> None:
        """Add the routes of a document."""
        super().add_api(*args, **kwargs)
        self.router.redirect_slashes = False
        for mount in self.router.routes:
            mount.app.redirect_slashes = False
            mount.app.routes = [RouteTree(mount.app.routes)]


def _build_bearer_handler(authenticate: Callable[[str], Any]) -> type[AbstractSecurityHandler]:
    """Build a security handler class for connexion that authenticates bearer tokens."""

    class Bearer(AbstractSecurityHandler):  # type: ignore[misc] # connexion is untyped.
        def get_fn(self, security_scheme: Schema, required_scopes: list[str]) -> Callable[[Any], Any]:
            del security_scheme, required_scopes
            return verify

    def verify(request: Any) -> Any:
        header = request.headers.get("authorization")
        if header is None:
            return NO_VALUE
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return {"error": authentication_required(_NOT_BEARER_DETAIL)}
        try:
            caller = authenticate(token.strip())
        except Exception as error:  # noqa: BLE001 - raised again in _OperationRunner, which turns errors into problems.
            return {"error": error}
        # An invalid token is rejected even where no token is needed. If this raised, connexion would try the next
        # security alternative, so the error is returned as a value.
        return (
            {"caller": caller} if caller is not None else {"error": authentication_required("The token is not valid.")}
        )

    return Bearer


def _build_routing_problem(status: int, path: str, operations: Mapping[str, Operation]) -> Problem:
    if status == 405:  # noqa: PLR2004 - Method Not Allowed.
        methods = _list_methods(path, operations)
        return Problem(405, "method_not_allowed", f"Allowed here: {methods}.", headers={"Allow": methods})
    return Problem(404, "not_found", _NO_SUCH_PATH_DETAIL)


def _list_methods(path: str, operations: Mapping[str, Operation]) -> str:
    """List all methods of a path for the Allow header (RFC 9110), with HEAD wherever there is GET."""
    methods: list[str] = []
    for operation in operations.values():
        match = operation.match_path(path)
        if match and not match[0]:
            methods += ["GET", "HEAD"] if operation.method == "get" else [operation.method.upper()]
    return ", ".join(dict.fromkeys(methods))


def _to_connexion_response(problem: Problem) -> ConnexionResponse:
    return ConnexionResponse(
        problem.status, PROBLEM_JSON, PROBLEM_JSON, body=problem.encode(), headers=dict(problem.headers)
    )
