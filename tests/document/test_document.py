"""The document is valid, its examples match their schemas, and it covers handlers, statuses and codes."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from openapi_spec_validator import validate

import handlers
from app.attempt_limits import AttemptLimiter
from app.dependencies import UserPolicy, build_dependencies
from app.document import DOCUMENT_PATH, load_document
from app.factory import PUBLIC_OPERATIONS
from app.problems import STATUS_BY_ERROR
from app.provider_sign_in import ProviderSignIn
from app.wall_clock import utc_now
from contract import edge
from contract.application import respond_with_not_found
from contract.documentation_site import DocumentationSite
from contract.messages import Request
from contract.operations import check_document
from contract.request_context import RequestContext
from contract.schemas import KNOWN_VALUES_EXTENSION, Schemas
from delivery.addresses import PUBLIC_ADDRESSES
from kanban.errors import DomainError, LimitReached
from kanban.store import Store
from kanban.timekeeping.money import MINOR_DIGITS
from kanban.values import Color, Enforcement, InstallationRole, Role, Scope, Stage

BUNDLE: dict[str, Any] = json.loads(DOCUMENT_PATH.read_bytes())
SCHEMAS = Schemas(BUNDLE)
REPEATABLE = frozenset(
    {
        *(
            "delete_user",
            "revoke_token",
            "revoke_bot_token",
            "end_session",
            "delete_identity",
            "revoke_invitation",
            "revoke_installation_invitation",
        ),
        *("decline_invitation", "remove_member", "unlabel_card", "unassign_card"),
    }
)
"""Idempotent deletions that need no If-Match, because repeating them does no harm."""

METHODS = ("get", "put", "post", "patch", "delete")


def list_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in BUNDLE["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


OPERATIONS_BY_ID = {
    operation["operationId"]: (path, method, operation) for path, method, operation in list_operations()
}


def list_contents() -> Iterator[Any]:
    """Yield the direction and the Media Type Object of every body in the document."""
    for path, method, operation in list_operations():
        where = f"{method.upper()} {path}"
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield pytest.param("request", content, id=f"{where} {media}")
        for status, reference in operation["responses"].items():
            for content in SCHEMAS.resolve(reference).get("content", {}).values():
                yield pytest.param("response", content, id=f"{where} {status}")


def subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def test_the_document_is_valid_openapi() -> None:
    validate(BUNDLE)


def test_every_operation_has_a_handler_and_every_handler_an_operation() -> None:
    assert set(handlers.functions_by_operation_id()) == set(OPERATIONS_BY_ID)


@pytest.mark.parametrize(("direction", "content"), list(list_contents()))
def test_every_body_has_an_example_and_every_example_is_valid(direction: Any, content: dict[str, Any]) -> None:
    check = SCHEMAS.get_check(content["schema"], direction)
    examples = {name: SCHEMAS.resolve(example)["value"] for name, example in content.get("examples", {}).items()}
    if "example" in content:
        examples["example"] = content["example"]

    assert examples
    assert [fault for value in examples.values() for fault in check.find_violations(value)] == []


@pytest.mark.parametrize("name", sorted(BUNDLE["components"]["schemas"]))
def test_every_example_in_a_schema_is_valid(name: str) -> None:
    schema = BUNDLE["components"]["schemas"][name]
    direction: Any = "request" if schema.get("additionalProperties") is False else "response"

    for part in (schema, *schema.get("properties", {}).values()):
        if "example" in part:
            assert SCHEMAS.get_check(part, direction).find_violations(part["example"]) == []


@pytest.mark.parametrize("direction", ["request", "response"])
def test_no_check_follows_references(direction: Any) -> None:
    for name in BUNDLE["components"]["schemas"]:
        check = SCHEMAS.get_check({"$ref": f"#/components/schemas/{name}"}, direction)

        assert '"$ref"' not in json.dumps(check.json_schema)


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS_BY_ID))
def test_every_example_of_a_problem_has_the_status_of_its_response(operation_id: str) -> None:
    _, _, operation = OPERATIONS_BY_ID[operation_id]

    for status, reference in operation["responses"].items():
        content = SCHEMAS.resolve(reference).get("content", {}).get("application/problem+json", {})
        for example in content.get("examples", {}).values():
            problem = SCHEMAS.resolve(example)["value"]
            assert str(problem["status"]) == status
            assert problem["type"] == f"/problems/{problem['code']}"


def test_every_code_of_a_domain_error_is_in_the_document() -> None:
    documented = set(BUNDLE["components"]["schemas"]["ProblemCode"][KNOWN_VALUES_EXTENSION])
    # NotFound and LimitReached derive their codes from the kind of thing; SignupClosed is a plain 401.
    codes = {kind.code for kind in subclasses(DomainError) if "code" in vars(kind)} - {"signup_closed"}
    kinds = (
        "board",
        "list",
        "card",
        "checklist",
        "checklist_item",
        "comment",
        "label",
        "member",
        "user",
        "token",
        "session",
        "identity",
        "job",
        "provider",
        "invitation",
    )
    codes |= {f"{kind}_not_found" for kind in kinds} | {f"too_many_{things}" for things in LimitReached.HOLDERS}

    assert codes <= documented


@pytest.mark.parametrize("code", BUNDLE["components"]["schemas"]["ProblemCode"][KNOWN_VALUES_EXTENSION])
def test_the_type_of_every_problem_leads_to_a_page(code: str) -> None:
    docs = DocumentationSite(DOCUMENT_PATH.read_bytes, lambda: b"", fallback=respond_with_not_found)

    response = docs(Request("GET", f"/problems/{code}", "", {}, b"", "", RequestContext()))

    assert response.status == 200
    assert f"<h1>{code}</h1>".encode() in response.body


def test_every_status_of_the_error_table_is_documented_for_board_changes() -> None:
    _, _, operation = OPERATIONS_BY_ID["move_card"]

    assert {str(status) for status in STATUS_BY_ERROR.values()} <= set(operation["responses"])


@pytest.mark.parametrize("operation_id", sorted(set(OPERATIONS_BY_ID) - PUBLIC_OPERATIONS))
def test_every_operation_needs_a_token_and_declares_scope_and_role(operation_id: str) -> None:
    path, _, operation = OPERATIONS_BY_ID[operation_id]

    security = operation.get("security", BUNDLE["security"])
    assert security
    assert {} not in security
    assert operation["x-tackboard-scope"] in list(Scope)
    if path.startswith("/boards/{board_id}"):
        assert operation["x-tackboard-role"] in list(Role)
    else:
        assert operation["x-tackboard-installation-role"] in list(InstallationRole)


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS_BY_ID))
def test_headers_of_every_response_are_documented(operation_id: str) -> None:
    _, method, operation = OPERATIONS_BY_ID[operation_id]

    for status, reference in operation["responses"].items():
        response = SCHEMAS.resolve(reference)
        assert {"X-Request-Id", "Cache-Control"} <= set(response["headers"])
        if status == "201":
            assert {"Location"} <= set(response["headers"])
    if method in ("patch", "delete") and operation_id not in REPEATABLE:
        assert {"412", "428"} <= set(operation["responses"])


def test_enums_of_the_document_equal_those_of_the_domain() -> None:
    schemas = BUNDLE["components"]["schemas"]

    assert schemas["Stage"]["enum"] == list(Stage)
    assert set(schemas["WipEnforcement"]["enum"]) == set(Enforcement)
    assert set(schemas["Currency"]["enum"]) == set(MINOR_DIGITS)
    assert set(schemas["Scope"]["enum"]) == set(Scope)
    assert set(schemas["Role"]["enum"]) == set(Role)
    assert schemas["Color"]["enum"] == list(Color)


@pytest.mark.parametrize("rewritten", ['"3-gzip"', '"3.0-1-br"', '"3.117--gzip"', '"3.117;gz"', 'W/"3.117"'])
def test_no_tag_of_this_api_looks_like_one_rewritten_by_a_proxy(rewritten: str) -> None:
    """`contract.conditional` removes the suffixes that proxies add, so no tag of this API may have one itself."""
    pattern = re.compile(BUNDLE["components"]["headers"]["ETag"]["schema"]["pattern"])

    assert all(map(pattern.fullmatch, ['"3.117"', '"3.0-2-1"', '"117.more"']))
    assert not pattern.fullmatch(rewritten)


def test_the_introduction_names_every_header_that_pages_of_other_origins_may_send() -> None:
    allowed = set(edge._ALLOWED_HEADERS.split(", "))  # noqa: SLF001  (nothing else needs to know them)
    own = {
        parameter["name"]
        for parameter in BUNDLE["components"]["parameters"].values()
        # Those of a webhook's messages are sent by the server.
        if parameter["in"] == "header" and not parameter["name"].startswith("Webhook-")
    }
    added = allowed - own - {"Accept", "Authorization", "Content-Type", "X-Request-Id"}

    assert {name for name in added if f"`{name}`" not in BUNDLE["info"]["description"]} == set()
    assert len(added) == 6


def test_a_header_that_is_too_long_for_its_schema_fits_into_a_request() -> None:
    """Otherwise its limit is never reached: the whole request is refused with 431."""
    headers = [parameter for parameter in BUNDLE["components"]["parameters"].values() if parameter["in"] == "header"]
    limits = {header["name"]: header["schema"].get("maxLength", 0) for header in headers}

    assert limits
    assert {name for name, length in limits.items() if length > edge.MAX_HEADER_BYTES / 4} == set()


def test_the_code_enforces_every_rule_of_the_document_and_binds_every_function() -> None:
    names = build_dependencies(
        cast("Store", None),
        utc_now,
        lambda kind: kind,
        bytes,
        policy=UserPolicy(),
        webhook_policy=PUBLIC_ADDRESSES,
        attempts=AttemptLimiter(lambda: 0.0),
        providers=ProviderSignIn((), read_secret=bytes, unix_time=lambda: 0.0, random_bytes=bytes, origins=()),
    )

    check_document(load_document(), handlers.functions_by_operation_id(), names)
