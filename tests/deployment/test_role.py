"""The role may do what the function does, and nothing else: every operation is called, and every call recorded."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml

from app.factory import create_app, utc_now
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.scheduled_purge import PURGE_EVENT, ScheduledPurge
from infrastructure.deployment.package_build import ROOT
from kanban.ordering import ranks
from stores import open_store
from stores.dynamodb.calls import Client
from tests.aws.test_request_records import NOW
from tests.contract.aws_events import http_api_event
from tests.deployment.all_operations import call_every_operation
from tests.document.test_document import list_operations

Calls = set[tuple[str, bool]]
"""IAM actions, and whether on an index."""

_TRANSACTED = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
"""A transaction needs the actions of its parts."""


class Recorder:
    """Notes which actions of IAM the calls of a store need."""

    def __init__(self) -> None:
        self.calls: Calls = set()

    def watch(self, client: Client) -> None:
        """Listen to a client."""
        client.add_listener(self._note)

    def _note(self, operation: str, request: Mapping[str, Any]) -> None:
        if operation in {"transact_write_items", "transact_get_items"}:
            self.calls |= {(_TRANSACTED[kind], False) for item in request["TransactItems"] for kind in item}
        else:
            action = "".join(word.capitalize() for word in operation.split("_"))
            self.calls.add((action, "IndexName" in request))


@pytest.fixture
def used(dynoxide: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[set[str], Calls]]:
    """Call every operation. Return the operations, and the calls to the table."""
    # A list is ranked anew after a few moves, not after very many.
    monkeypatch.setattr(ranks, "MAX_RANK_LENGTH", 3)
    table = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"
    open_store(table).close()
    recorder, called = Recorder(), set()

    def write(line: bytes) -> None:
        called.add(json.loads(line).get("operation"))

    with closing(open_store(table, on_client=recorder.watch)) as store:
        # The purge sees a day on which all that was deleted is to be erased.
        purge = ScheduledPurge(store, lambda: utc_now() + timedelta(days=40))
        records = RequestRecorder("x", lambda: NOW, lambda: 0, write)
        function = Function(create_app(store, open_signup=True), Deadline(), records, purge)
        token = ""

        def ask(method: str, target: str, body: object = None, **headers: str) -> Any:
            sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"} if token else {}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            answer = function(
                http_api_event(method, target, json.dumps(body) if body is not None else None, sent), None
            )
            assert answer["statusCode"] < 300, (method, target, answer)
            return json.loads(answer["body"]) if answer.get("body") else None, answer["headers"].get("etag", "")

        ask("GET", "/v1/health")
        ask("GET", "/v1/ready")
        token = ask("POST", "/v1/users", {"name": "Mina"}, Content_Type="application/json")[0]["token"]
        call_every_operation(ask)
        function(PURGE_EVENT, None)
        yield called, recorder.calls


def test_the_role_allows_exactly_the_calls_of_the_function(used: tuple[set[str], Calls]) -> None:
    called, done = used
    described = {operation["operationId"] for _, _, operation in list_operations()}

    assert called == described
    assert allowed() == done


def allowed() -> Calls:
    """Return what the role's policy allows on the table."""
    template = (ROOT / "infrastructure" / "resources" / "role.yml").read_text()
    role = yaml.load(template, _Loader)["Resources"]["FunctionRole"]  # noqa: S506 - it is a SafeLoader.
    (policy,) = role["Properties"]["Policies"]
    calls: Calls = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        calls |= {
            (action.removeprefix("dynamodb:"), "/index/" in statement["Resource"])
            for action in actions
            if action.startswith("dynamodb:")
        }
    return calls


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the text that stands in them."""


_Loader.add_multi_constructor("!", lambda _, __, node: str(node.value))
