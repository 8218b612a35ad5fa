"""Let connexion do at start what it is for: resolve every operationId, and build the security of every operation.

connexion's loop over the document (`AbstractRoutingAPI`) resolves the function of each operation and registers it on
the framework of the application, which is a route tree here. Its `SecurityOperation` builds the function that verifies
a request. Both are used as they come. Its ASGI middlewares are not loaded: a request is answered by one call.
"""

import warnings
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from inspect import iscoroutine
from typing import Any

from contract.messages import Request
from contract.problems import authentication_required
from contract.route_tree import RouteTree
from contract.schemas import Schema
from trimmed_import import import_trimmed

_PARTS = ("connexion", "connexion.middleware", "connexion.decorators")
_UNUSED = (
    "httpx",
    "inflection",
    "jinja2",
    "jsonschema",
    "python_multipart",
    "requests",
    "starlette.datastructures",
    "starlette.requests",
    "starlette.routing",
    "starlette.types",
    "werkzeug",
    "yaml",
)
_PLACEHOLDERS: dict[str, dict[str, Any]] = {name: {} for name in _UNUSED} | {"asyncio": {"iscoroutine": iscoroutine}}

with import_trimmed("connexion", without_init=_PARTS, placeholders=_PLACEHOLDERS), warnings.catch_warnings():
    # connexion imports deprecated names of jsonschema. Nothing here uses them.
    warnings.simplefilter("ignore", DeprecationWarning)
    from connexion.exceptions import OAuthProblem
    from connexion.middleware.abstract import AbstractRoutingAPI
    from connexion.middleware.security import SecurityOperation
    from connexion.operations import AbstractOperation
    from connexion.resolver import Resolver
    from connexion.security import NO_VALUE, AbstractSecurityHandler, SecurityHandlerFactory
    from connexion.spec import OpenAPISpecification

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Authenticate = Callable[[str, Request], Any]
"""Returns the caller of a bearer token that came with a request, None for an invalid token."""

_NOT_BEARER_DETAIL = "The scheme is missing: Authorization must be the word Bearer, a blank and the token."


@dataclass(slots=True)
class Credentials:
    """What connexion's security reads of a request, and where it leaves what it found."""

    headers: Mapping[str, str]
    context: dict[str, Any]
    request: Request
    """The request that they came with."""


@dataclass(slots=True)
class Route:
    """One operation as connexion bound it."""

    operation_id: str
    function: Callable[..., Any]
    verify: Callable[[Credentials], Coroutine[Any, Any, None]] | None
    """Verifies credentials; None where the document asks for none."""

    def authenticate(self, request: Request) -> Any:
        """Return the caller; None without credentials where the document allows that.

        Raises:
            Problem: 401, the credentials are missing or invalid.
        """
        if self.verify is None:
            return None
        credentials = Credentials(request.headers, {}, request)
        try:
            _run_to_completion(self.verify(credentials))
        except OAuthProblem as error:
            raise authentication_required(f"{error.detail}.") from None
        token_info = credentials.context["token_info"]
        if "error" in token_info:
            raise token_info["error"]
        return token_info.get("caller")


def bind_operations(
    document: Schema, functions: Mapping[str, Callable[..., Any]], authenticate: Authenticate
) -> RouteTree[Route]:
    """Return the routes of a document below its base path, each bound to the function of its operationId.

    `authenticate` returns the caller of a bearer token that came with a request, None for an invalid token.
    """
    routes = _Routes(_RoutingSpecification(document), Resolver(functions.__getitem__), _build_handler(authenticate))
    return routes.tree


class _RoutingSpecification(OpenAPISpecification):  # type: ignore[misc] # connexion is untyped.
    """The document as connexion reads it, as far as routes, operationIds and security go.

    connexion would copy the document, validate it and resolve all its references at every start. The bundle is
    validated when it is made, and these parts have no references.
    """

    def __init__(self, document: Schema) -> None:
        paths = {
            path: {method: _keep_routing_keys(item[method]) for method in METHODS if method in item}
            for path, item in document["paths"].items()
        }
        security_schemes = document.get("components", {}).get("securitySchemes", {})
        self._spec = self._raw_spec = {**document, "paths": paths, "components": {"securitySchemes": security_schemes}}
        self._base_uri = ""


def _keep_routing_keys(operation: Schema) -> Schema:
    return {"responses": {}} | {name: operation[name] for name in ("operationId", "security") if name in operation}


class _Routes(AbstractRoutingAPI[Route]):  # type: ignore[misc] # connexion is untyped.
    """connexion's loop over the operations of a document, with a route tree as the framework."""

    def __init__(
        self, specification: OpenAPISpecification, resolver: Resolver, handler: type[AbstractSecurityHandler]
    ) -> None:
        self.tree: RouteTree[Route] = RouteTree()
        self._security = SecurityHandlerFactory({"bearer": handler})
        super().__init__(specification, resolver=resolver)

    def make_operation(self, operation: AbstractOperation) -> Route:
        """Return the route of an operation, whose function connexion has resolved."""
        security = SecurityOperation.from_operation(operation, next_app=None, security_handler_factory=self._security)
        verify = security.verification_fn if operation.security else None
        return Route(operation.operation_id, operation.function, verify)

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(self, method: str, path: str, operation: Route, name: str | None = None) -> None:
        del name
        self.tree.add(self.base_path + path, method.upper(), operation)


def _build_handler(authenticate: Authenticate) -> type[AbstractSecurityHandler]:
    """Build a security handler class for connexion that authenticates bearer tokens."""

    class Bearer(AbstractSecurityHandler):  # type: ignore[misc] # connexion is untyped.
        def get_fn(self, security_scheme: Schema, required_scopes: list[str]) -> Callable[[Credentials], Any]:
            del security_scheme, required_scopes
            return verify

    def verify(credentials: Credentials) -> Any:
        header = credentials.headers.get("authorization")
        if header is None:
            return NO_VALUE
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return {"error": authentication_required(_NOT_BEARER_DETAIL)}
        try:
            caller = authenticate(token.strip(), credentials.request)
        except Exception as error:  # noqa: BLE001 - raised again by Route.authenticate.
            return {"error": error}
        # An invalid token is rejected even where no token is needed. If this raised, connexion would try the next
        # security alternative, so the error is returned as a value.
        return (
            {"caller": caller} if caller is not None else {"error": authentication_required("The token is not valid.")}
        )

    return Bearer


def _run_to_completion(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never suspends: connexion's security only calls plain functions here.

    Raises:
        RuntimeError: It suspended.
    """
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("connexion's security waited for something; functions here must be synchronous.")
