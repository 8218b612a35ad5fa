"""What the document declares about who may call each operation, and what follows for a caller."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.needed_resources import NeededResources
from contract.operations import list_operations
from contract.schemas import Schemas
from kanban.values import InstallationRole, Role, Scope
from tests.document.test_document import BUNDLE

ID_SUFFIXES = ("_id", "_ids")
NEIGHBOURS = ("before", "after")
"""Properties that hold the id of something beside which a thing is to be."""

SCHEMAS = Schemas(BUNDLE)
NEEDS = NeededResources(BUNDLE)
BOARDS = "/boards/{board_id}"
NO_SUCH_BOARD = (404, "board_not_found")
ALLOWED = (200, "allowed")
Outcome = tuple[int, str]
"""The status of a denial and its code, or ALLOWED."""


@dataclass(frozen=True)
class Credentials:
    """What a caller has: a token with these rights, of a user with these roles."""

    is_sent: bool = True
    is_valid: bool = True
    scopes: frozenset[Scope] = frozenset(Scope)
    installation_role: InstallationRole = InstallationRole.MEMBER
    has_parent: bool = False
    is_bot: bool = False
    is_of_provider: bool = False
    """Whether a provider has issued the token, so that it is stored nowhere."""

    board_ids: tuple[str, ...] | None = None
    max_role: Role | None = None
    resources: frozenset[str] | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    """The role on each board of which the user is a member."""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything narrows the token."""
        return (self.board_ids, self.max_role, self.resources) != (None, None, None)

    @property
    def covers_user(self) -> bool:
        """Whether the token may do all that its user may."""
        return self.scopes == frozenset(Scope) and not self.is_narrowed

    @property
    def is_full(self) -> bool:
        """Whether the token is as good as the user."""
        return self.covers_user and not self.has_parent and not self.is_of_provider

    def get_role(self, board_id: str) -> Role | None:
        """Return the caller's role on a board, None if it doesn't exist for the caller."""
        role = self.roles.get(board_id)
        if role is None or (self.board_ids is not None and board_id not in self.board_ids):
            return None
        return role if self.max_role is None or self.max_role.covers(role) else self.max_role


@dataclass(frozen=True)
class DeclaredOperation:
    """An operation as the document declares it."""

    id: str
    method: str
    path: str
    node: Mapping[str, Any]

    @cached_property
    def parameters(self) -> list[Any]:
        """The parameters, resolved."""
        return [
            SCHEMAS.resolve(parameter)
            for parameter in (*BUNDLE["paths"][self.path].get("parameters", ()), *self.node.get("parameters", ()))
        ]

    @property
    def is_on_board(self) -> bool:
        """Whether the path has a board."""
        return self.path.startswith(BOARDS)

    @property
    def writes(self) -> bool:
        """Whether the operation may change anything."""
        return self.method != "get"

    @property
    def security(self) -> list[Any]:
        """What may be sent; nothing of it for a public operation."""
        security: list[Any] = self.node.get("security", BUNDLE["security"])
        return security

    def list_names(self, location: str) -> list[str]:
        """Return the names of the parameters in a location."""
        return [parameter["name"] for parameter in self.parameters if parameter["in"] == location]

    @cached_property
    def body_schema(self) -> Any:
        """The schema of a JSON body, resolved; empty if there is none."""
        if "requestBody" not in self.node:
            return {}
        content = SCHEMAS.resolve(self.node["requestBody"])["content"]
        return SCHEMAS.resolve(content["application/json"]["schema"])

    def list_body_ids(self) -> list[str]:
        """Return the properties of the body that hold ids of things."""
        return sorted({name for name in _list_properties(self.body_schema) if _holds_id(name)})

    def list_query_ids(self) -> list[str]:
        """Return the parameters of the query that hold ids of things."""
        return [name for name in self.list_names("query") if name.endswith(ID_SUFFIXES)]

    @cached_property
    def example(self) -> Any:
        """The first example of a body, None if none is required."""
        body = SCHEMAS.resolve(self.node.get("requestBody", {}))
        if not body.get("required"):
            return None
        content = body["content"]["application/json"]
        return SCHEMAS.resolve(next(iter(content["examples"].values())))["value"]

    def decide(self, caller: Credentials, board_id: str) -> Outcome:
        """Return what the document says about a request of a caller, on a board if the path has one."""
        if not self.security:
            return ALLOWED
        if not caller.is_sent and {} in self.security:
            return ALLOWED
        if not (caller.is_sent and caller.is_valid):
            return 401, "unauthenticated"
        if self.node["x-tackboard-scope"] not in caller.scopes:
            return 403, "scope_missing"
        if caller.resources is not None and not NEEDS.get_needs(self.id).resources <= caller.resources:
            return 403, "resource_missing"
        return self._decide_by_token(caller) or self._decide_by_role(caller, board_id)

    def _decide_by_token(self, caller: Credentials) -> Outcome | None:
        if caller.is_bot and self.node.get("x-tackboard-caller") == "person":
            return 403, "person_only"
        token = self.node.get("x-tackboard-token")
        if token == "all_boards" and caller.board_ids is not None:
            return 403, "token_too_narrow"
        if token == "not_narrowed" and caller.is_narrowed:
            return 403, "token_too_narrow"
        if token == "full" and not caller.is_full and not self._is_for_owners_without(caller):
            return 403, "full_token_required"
        return None

    def _is_for_owners_without(self, caller: Credentials) -> bool:
        required = self.node.get("x-tackboard-installation-role")
        return required == InstallationRole.OWNER and caller.installation_role is not InstallationRole.OWNER

    def _decide_by_role(self, caller: Credentials, board_id: str) -> Outcome:
        if self._is_for_owners_without(caller):
            return 403, "installation_owner_only"
        if self.is_on_board:
            role = caller.get_role(board_id)
            if role is None:
                return NO_SUCH_BOARD
            if not role.covers(Role(self.node["x-tackboard-role"])):
                return 403, "role_too_low"
        return ALLOWED


def _holds_id(name: str) -> bool:
    return name in NEIGHBOURS or (name.endswith(ID_SUFFIXES) and name not in ("external_id", "provider_id"))


def _list_properties(schema: Any) -> Iterator[str]:
    schema = SCHEMAS.resolve(schema)
    yield from schema.get("properties", ())
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            yield from _list_properties(part)


OPERATIONS = {
    node["operationId"]: DeclaredOperation(node["operationId"], method, path, node)
    for path, method, node in list_operations(BUNDLE)
}
RESOURCES: tuple[str, ...] = tuple(BUNDLE["components"]["schemas"]["TokenResource"]["x-tackboard-known"])
