"""Who may do what: every operation of the document, by every kind of caller, on things of everybody.

What is expected follows from the document alone (`authorization_operations.py`), so a new operation is tested here as
soon as it is described. A request that is denied changes nothing, and tells nothing: the responses to all requests that
are denied for the same reason are the same bytes, after the same reads. What may be done is tried with a dry run.
`-s` shows how many requests had which outcome, and ALL_ENGINES=1 tries them on PostgreSQL and DynamoDB as well.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace

import pytest

from kanban.values import Role
from stores import open_store
from stores.backup import compute_digest
from tests.api.authorization_operations import ALLOWED, OPERATIONS, RESOURCES, DeclaredOperation, Outcome
from tests.api.authorization_requests import NONE, build_request, list_foreign_references, list_targets
from tests.api.authorization_world import OTHER, OWN, Caller, World
from tests.api.client import HttpResponse
from tests.api.test_narrow_tokens import find_roles
from tests.engines.dynamodb_server import create_table_url, delete_table, dynoxide
from tests.engines.postgresql_server import postgresql
from tests.oidc.scripted_provider import run_scripted_provider

pytestmark = pytest.mark.sweep

__all__ = ["dynoxide", "postgresql"]

READING = ("read_", "page_", "list_", "find_", "check_")
"""How the names of the methods of a store begin that change nothing."""

CALLERS = (
    *("no token", "malformed token", "mistyped token", "unknown token", "expired token", "revoked token"),
    *("rotated token", "ended session", "deactivated user", "reactivated user"),
    *("expired token of a provider", "token of another issuer", "token of a provider for another API"),
    *(f"token of a provider for {account}" for account in ("an unknown account", "a deactivated user")),
    *("session", "child of a token"),
    *(f"token without the scope {scope}" for scope in ("read", "write", "admin")),
    *("token of another board", "token with max_role viewer", "token with max_role editor"),
    *(f"token without the resource {resource}" for resource in RESOURCES),
    *("stranger", "former member", "viewer", "editor", "owner of the board", "bot that is an editor"),
    *("owner of the board and of the installation", "installation owner who is no member"),
    *(f"{user}, by a provider" for user in ("owner of the board and of the installation", "editor", "stranger")),
)

AFTERWARDS = dict.fromkeys(
    ("create_authorization", "create_provider_session", "create_identity"), (404, "provider_not_found")
)
"""How requests end that are allowed: no provider of that id is configured."""

ON_OTHER_TOKENS = ("create_token", "revoke_token", "rotate_token", "end_session")
"""Operations by which a token lets others in or out: those of a provider can't."""

WIDER_TARGETS = {"end_session": (403, "token_out_of_reach")}
"""Operations on what has all rights of its user: a token that has fewer can't reach it."""


def find_writes(calls: Iterable[str]) -> list[str]:
    """Return the methods of a store that were called and may change something."""
    return [name for name in calls if not name.startswith(READING)]


class Matrix:
    """The world, the store below it, and how many requests had which outcome."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.outcomes: Counter[str] = Counter()
        self._url = url

    def compute_digest(self) -> str:
        """Return a digest of everything that is stored, where there is one of a whole store."""
        return "" if self._url.startswith("dynamodb:") else compute_digest(self._url)

    def send(self, caller: Caller, operation: DeclaredOperation, target: str) -> "Cell":
        """Send a request; return what came of it. One that is allowed is a dry run."""
        outcome = self._expect(caller, operation, target)
        self.world.calls.clear()
        request = build_request(self.world, caller, operation, target)
        response = request.send(caller, is_dry_run=operation.writes and outcome == ALLOWED)
        cell = Cell(operation, target, outcome, response, tuple(self.world.calls))
        self.outcomes[cell.outcome_name] += 1
        return cell

    def _expect(self, caller: Caller, operation: DeclaredOperation, target: str) -> Outcome:
        board_id = {OWN: self.world.ids[OWN]["board_id"], OTHER: self.world.ids[OTHER]["board_id"], NONE: ""}[target]
        outcome = operation.decide(caller.credentials, board_id)
        names = operation.list_names("path")
        if outcome != ALLOWED or operation.is_on_board:
            return outcome
        # Every user may be read, and managed by owners of the installation: anybody may know that they exist.
        if target == NONE or (target == OTHER and names != ["user_id"]):
            return 404, f"{names[0].removesuffix('_id')}_not_found"
        if operation.id in WIDER_TARGETS and not caller.credentials.covers_user:
            return WIDER_TARGETS[operation.id]
        if operation.id in ON_OTHER_TOKENS and caller.credentials.is_of_provider:
            return 403, "full_token_required"
        if operation.id == "decline_invitation" and caller.credentials.board_ids is not None:
            # The token doesn't reach the board that the user is asked to join.
            return 404, "invitation_not_found"
        return AFTERWARDS.get(operation.id, ALLOWED)


class Cell:
    """One request of the matrix: what was expected, and what came."""

    def __init__(
        self,
        operation: DeclaredOperation,
        target: str,
        outcome: Outcome,
        response: HttpResponse,
        calls: tuple[str, ...],
    ) -> None:
        self.operation = operation
        self.outcome = outcome
        self.calls = calls
        self.response = response
        self.name = f"{operation.id} of {target}"
        self.writes = find_writes(calls)

    @property
    def is_allowed(self) -> bool:
        """Whether the request was to be allowed."""
        return self.outcome == ALLOWED

    @property
    def outcome_name(self) -> str:
        """The status, and the code of a problem."""
        code = self.response.json["code"] if self.response.status >= 400 else ""
        return f"{self.response.status} {code}".strip()

    def find_fault(self) -> str | None:
        """Say how the response differs from what is expected, or what was written."""
        if self.is_allowed:
            is_expected = self.response.status < 400
        else:
            is_expected = self.outcome_name == "{} {}".format(*self.outcome)
        if not is_expected:
            return f"{self.name}: expected {self.outcome}, but was {self.response.status} {self.response.raw[:300]!r}"
        return f"{self.name}: wrote with {self.writes}" if self.writes else None

    def find_higher_role(self, max_role: Role | None) -> str | None:
        """Say which roles a response shows that are higher than the token's."""
        if max_role is None or self.response.headers.get("content-type") != "application/json":
            return None
        higher = {role for role in find_roles(self.response.json) if not max_role.covers(Role(role))}
        return f"{self.name} shows {higher}" if higher else None

    def describe(self) -> tuple[object, ...]:
        """Return everything by which a caller can tell the cell from another one of the same outcome."""
        headers = {name: value for name, value in self.response.headers.items() if name != "x-request-id"}
        return self.response.status, headers, self.response.raw, self.calls


@contextmanager
def create_sqlite_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a new file."""
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    yield f"sqlite:///{folders.mktemp('matrix')}/tackboard.db"


@contextmanager
def create_postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of an empty database."""
    server = request.getfixturevalue("postgresql")
    url: str = server.url("postgres")
    open_store(url).close()
    server.empty("postgres")
    yield url


@contextmanager
def create_dynamodb_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a table of its own."""
    url = create_table_url(request.getfixturevalue("dynoxide"))
    yield url
    delete_table(url)


ENGINES: dict[str, Callable[[pytest.FixtureRequest], AbstractContextManager[str]]] = {"sqlite": create_sqlite_url}
if os.environ.get("ALL_ENGINES") == "1":
    ENGINES |= {"postgresql": create_postgresql_url, "dynamodb": create_dynamodb_url}


@pytest.fixture(scope="module", params=ENGINES)
def matrix(request: pytest.FixtureRequest) -> Iterator[Matrix]:
    """Build the world once: nothing that is tested changes it."""
    with (
        ENGINES[request.param](request) as url,
        closing(open_store(url)) as store,
        run_scripted_provider() as provider,
    ):
        matrix = Matrix(World(store, provider), url)
        yield matrix
    counted = [f"{count:6,} {name}" for name, count in matrix.outcomes.most_common()]
    print("", f"{matrix.outcomes.total():6,} requests on {request.param}:", *counted, sep="\n")  # noqa: T201 - see above.


def test_every_kind_of_caller_is_tested(matrix: Matrix) -> None:
    assert set(matrix.world.callers) == set(CALLERS)


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_may_do_what_the_document_says(matrix: Matrix, name: str) -> None:
    caller = matrix.world.callers[name]
    before = matrix.compute_digest()
    faults: list[str] = []
    for operation in OPERATIONS.values():
        cells = [matrix.send(caller, operation, target) for target in list_targets(operation)]
        faults += filter(None, (cell.find_fault() for cell in cells))
        faults += filter(None, (cell.find_higher_role(caller.credentials.max_role) for cell in cells))
        last = cells[-1]
        for cell in cells[:-1]:
            if not cell.is_allowed and cell.outcome == last.outcome and cell.describe() != last.describe():
                faults.append(f"{cell.name} and {last.name} differ: {cell.describe()} {last.describe()}")

    assert not faults, "\n".join(faults)
    assert matrix.compute_digest() == before


@pytest.mark.parametrize("name", ["owner of the board and of the installation", "editor"])
def test_what_is_elsewhere_is_as_what_does_not_exist(matrix: Matrix, name: str) -> None:
    caller = matrix.world.callers[name]
    before = matrix.compute_digest()
    faults = []
    for operation in OPERATIONS.values():
        for reference in list_foreign_references(matrix.world, caller, operation):
            matrix.world.calls.clear()
            responses = [request.send(caller) for request in (reference.foreign, reference.missing)]
            foreign, missing = ((response.status, response.raw) for response in responses)
            matrix.outcomes[f"{foreign[0]} for an id of something elsewhere"] += 1
            if foreign != missing or find_writes(matrix.world.calls):
                faults.append(f"{operation.id}, {reference.name}: {foreign} and {missing}, {matrix.world.calls}")

    assert not faults, "\n".join(faults)
    assert matrix.compute_digest() == before


def test_head_is_denied_as_get_is(matrix: Matrix) -> None:
    faults = []
    for name, caller in matrix.world.callers.items():
        for operation in OPERATIONS.values():
            if operation.writes:
                continue
            for target in list_targets(operation):
                request = build_request(matrix.world, caller, operation, target)
                statuses = [
                    caller.client.request(method, request.path, headers=request.headers).status
                    for method in ("GET", "HEAD")
                ]
                matrix.outcomes[f"{statuses[1]} of HEAD"] += 1
                if statuses[0] != statuses[1]:
                    faults.append(f"{name}, {operation.id} of {target}: {statuses}")

    assert not faults, "\n".join(faults)


def test_where_sign_up_is_closed_only_owners_create_users(matrix: Matrix) -> None:
    application = matrix.world.build_application(open_signup=False)
    open_to_all = OPERATIONS["create_user"]
    node = {**open_to_all.node, "security": [{"bearer": []}], "x-tackboard-installation-role": "owner"}
    operation = replace(open_to_all, node=node)
    for name, caller in matrix.world.callers.items():
        expected = operation.decide(caller.credentials, "")
        client = replace(caller.client, application=application)

        response = client.post("/users", {"name": "Ada"}, Prefer="dry-run")

        outcome = ALLOWED if response.status == 201 else (response.status, response.json["code"])
        assert outcome == expected, name
