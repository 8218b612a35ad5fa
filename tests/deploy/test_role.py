"""The role may do what the function does, and nothing else: every operation is called, and every call recorded."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
import yaml

from app import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.records import Records
from deploy.building import ROOT
from kanban import ranks
from stores import open_store
from tests.aws.test_records import NOW
from tests.contract.aws_events import http_api

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
    """Notes which actions of IAM the SDK's calls need."""

    def __init__(self) -> None:
        self.calls: Calls = set()

    def watch(self, client: Any) -> None:
        """Listen to a client."""
        client.meta.events.register("before-parameter-build", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in {"TransactWriteItems", "TransactGetItems"}:
            self.calls |= {(_TRANSACTED[kind], False) for item in params["TransactItems"] for kind in item}
        else:
            self.calls.add((model.name, "IndexName" in params))


@pytest.fixture
def recorded(dynoxide: str) -> Iterator[tuple[Callable[..., Any], Recorder, set[str]]]:
    """A function whose store is recorded, and the operations that were called."""
    table = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"
    open_store(table).close()
    recorder, called = Recorder(), set()

    def write(line: str) -> None:
        called.add(json.loads(line).get("operation"))

    with closing(open_store(table, watch=recorder.watch)) as store:
        function = Function(
            create_app(store, open_signup=True), Deadline(), Records("x", lambda: NOW, lambda: 0, write)
        )

        def send(method: str, target: str, body: object = None, token: str = "", **headers: str) -> Any:
            sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
            sent |= {"Authorization": f"Bearer {token}"} if token else {}
            answer = function(http_api(method, target, json.dumps(body) if body is not None else None, sent), None)
            assert answer["statusCode"] < 300, (method, target, answer)
            return json.loads(answer["body"]) if answer.get("body") else None, answer["headers"].get("etag", "")

        yield send, recorder, called


def test_the_role_may_do_exactly_what_the_function_does(
    recorded: tuple[Callable[..., Any], Recorder, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    send, recorder, called = recorded
    use_everything(send, monkeypatch)

    document = json.loads((ROOT / "spec" / "dist" / "openapi.json").read_text())
    operations = {operation["operationId"] for item in document["paths"].values() for operation in item.values()
                  if isinstance(operation, dict) and "operationId" in operation}  # fmt: skip
    assert called == operations
    assert allowed() == recorder.calls


def use_everything(send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call every operation of the document, and all that happens rarely."""
    # A rank that is called long after a few moves makes its list be ranked anew.
    monkeypatch.setattr(ranks, "LONGEST", 3, raising=False)
    send("GET", "/v1/health")
    send("GET", "/v1/ready")
    token = send("POST", "/v1/users", {"name": "Mina"})[0]["token"]

    def ask(method: str, target: str, body: object = None, **headers: str) -> Any:
        return send(method, target, body, token, **headers)

    me, tag = ask("GET", "/v1/users/me")
    ask("PATCH", "/v1/users/me", {"name": "Mina B."}, If_Match=tag)
    ask("GET", f"/v1/users/{me['id']}")
    ask("POST", "/v1/users/me/tokens", {"name": "x", "scopes": ["read"]})
    (other,) = (each["id"] for each in ask("GET", "/v1/users/me/tokens")[0]["items"] if each["name"] == "x")
    ask("DELETE", f"/v1/users/me/tokens/{other}")
    board = ask("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")[0]
    ask("POST", "/v1/boards", {"name": "A"}, Idempotency_Key="one")
    ask("GET", "/v1/boards")
    here = f"/v1/boards/{board['id']}"
    ask("PATCH", here, {"name": "B"}, If_Match=ask("GET", here)[1])
    ask("GET", f"{here}?embed=lists")
    first = ask("POST", f"{here}/lists", {"name": "One", "stage": "todo", "external_id": "l"})[0]
    there = f"{here}/lists/{first['id']}"
    ask("PATCH", there, {"name": "Two", "external_id": "m"}, If_Match=ask("GET", there)[1])
    ask("POST", f"{there}/move", {"position": "top"})
    ask("GET", f"{here}/lists")
    cards = [ask("POST", f"{here}/cards", {"title": str(n), "list_id": first["id"], "external_id": str(n)})[0]["id"]
             for n in range(5)]  # fmt: skip
    for number in range(60):
        ask("POST", f"{here}/cards/{cards[number % 5]}/move", {"list_id": first["id"], "before": cards[number % 5 - 1]})
    card = f"{here}/cards/{cards[0]}"
    ask("PATCH", card, {"title": "New", "external_id": "new"}, If_Match=ask("GET", card)[1])
    ask("POST", f"{card}/start")
    ask("POST", f"{card}/resolve")
    ask("POST", f"{card}/reopen")
    ask("GET", f"{card}/time")
    ask("GET", f"{here}/cards?sort=-updated_at")
    ask("GET", f"{here}/cards?q=new")
    ask("GET", f"{here}/cards?limit=2")
    ask("GET", f"{here}/events?after=0&limit=2")
    ask("DELETE", card, If_Match=ask("GET", card)[1])
    ask("DELETE", there, If_Match=ask("GET", there)[1])
    ask("DELETE", here, If_Match=ask("GET", here)[1])


def allowed() -> Calls:
    """What the role's policy allows on the table."""
    role = yaml.load((ROOT / "resources" / "role.yml").read_text(), _Loader)["Resources"]["FunctionRole"]  # noqa: S506 - it is a SafeLoader.
    (policy,) = role["Properties"]["Policies"]
    found: Calls = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        found |= {
            (action.removeprefix("dynamodb:"), "/index/" in statement["Resource"])
            for action in actions
            if action.startswith("dynamodb:")
        }
    return found


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the text that stands in them."""


_Loader.add_multi_constructor("!", lambda _, __, node: str(node.value))
