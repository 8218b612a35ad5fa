"""The role may do what the function does, and nothing else: every operation is called, and every call recorded."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml

from app.factory import create_app
from app.job_runner import build_job_runner
from app.reader_runner import build_runner, build_segment_builder
from app.wall_clock import utc_now
from aws.deadline import Deadline
from aws.function import Function
from aws.reader_function import MAX_DELAY_SECONDS, SWEEP_EVENT, ReaderFunction
from aws.request_records import RequestRecorder
from aws.scheduled_purge import PURGE_EVENT, ScheduledPurge
from delivery.addresses import PUBLIC_ADDRESSES
from delivery.sender import CallResponse
from infrastructure.deployment.package_build import ROOT
from kanban import cards, jobs, webhooks
from kanban.changes import Change
from kanban.ordering import ranks
from kanban.values import FeedReader, Identity, JobKind, Role, SignInCode, WebhookState
from kanban.webhooks import NewWebhook
from stores import open_store
from stores.dynamodb.calls import Client
from stores.dynamodb.connecting import connect
from tests.aws.test_reader_function import build_queue_event, build_stream_event
from tests.aws.test_request_records import NOW
from tests.contract.aws_events import http_api_event
from tests.deployment.all_operations import REDIRECT_URI, call_every_operation
from tests.document.test_document import list_operations
from tests.oidc.scripted_provider import run_scripted_provider
from tests.stores.world import World

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
    name = f"tackboard-{uuid4().hex}"
    table = f"dynamodb://{name}?endpoint={dynoxide}"
    open_store(table).close()
    recorder, called = Recorder(), set()

    def write(line: bytes) -> None:
        called.add(json.loads(line).get("operation"))

    with run_scripted_provider() as provider, closing(open_store(table, on_client=recorder.watch)) as store:
        provider.now, provider.takes_codes_again = time.time, True
        # The purge sees a day on which all that was deleted is to be erased.
        purge = ScheduledPurge(store, lambda: utc_now() + timedelta(days=40))
        records = RequestRecorder("x", lambda: NOW, lambda: 0, write)
        providers = (provider.configure(redirect_uris=(REDIRECT_URI,)),)
        application = create_app(store, open_signup=True, joining_takes_consent=True, providers=providers)
        function = Function(application, Deadline(), records, purge)
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
        _forget_list_of_users(dynoxide, name)
        function(PURGE_EVENT, None)
        yield called, recorder.calls


def _forget_list_of_users(endpoint: str, table: str) -> None:
    """Make the table look like one of a release before 1.3, through which a purge looks once."""
    request = {
        "TableName": table,
        "Key": {"pk": {"S": "S"}, "sk": {"S": "owner"}},
        "UpdateExpression": "REMOVE users_listed",
    }
    with closing(connect("us-east-1", endpoint)) as client:
        client("update_item", request)


def test_the_role_allows_exactly_the_calls_of_the_function(used: tuple[set[str], Calls]) -> None:
    called, done = used
    described = {operation["operationId"] for _, _, operation in list_operations()}

    assert called == described
    assert allowed("role.yml", "FunctionRole") == done


class Statuses:
    """A sender of webhooks whose receivers respond with these statuses in turn, and with 204 after them."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = [*statuses]

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Send nothing."""
        assert url
        assert body
        assert headers
        return CallResponse(self.statuses.pop(0) if self.statuses else 204, b"")


class CallingQueue:
    """A queue whose messages arrive when the test takes them, regardless of their delay."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, board_id: str, reader_name: str, delay_seconds: int = 0) -> None:
        """Keep the message."""
        assert delay_seconds <= MAX_DELAY_SECONDS
        self.bodies.append(json.dumps({"board_id": board_id, "reader": reader_name}))

    def send_job(self, user_id: str, job_id: str) -> None:
        """Keep the message."""
        self.bodies.append(json.dumps({"user_id": user_id, "job_id": job_id}))

    def send_board(self, board_id: str) -> None:
        """Keep the message."""
        self.bodies.append(json.dumps({"segments_of": board_id}))

    def take_bodies(self) -> list[str]:
        """Return the bodies of the messages, which are received with that."""
        bodies, self.bodies = self.bodies, []
        return bodies


def test_the_role_of_the_readers_allows_exactly_their_calls(dynoxide: str) -> None:
    table = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"
    open_store(table).close()
    recorder, queue = Recorder(), CallingQueue()
    with closing(open_store(table)) as users, closing(open_store(table, on_client=recorder.watch)) as store:
        world = World(users)
        # One success, one failure, one that stops the webhook.
        runner = build_runner(store, PUBLIC_ADDRESSES, clock=lambda: world.now, sender=Statuses(204, 500, 410))
        jobs = build_job_runner(store, clock=lambda: world.now)
        builder = build_segment_builder(store, clock=lambda: world.now)
        function = ReaderFunction(
            store.feed_readers, runner, queue, Deadline(), lambda: world.now, job_runner=jobs, segment_builder=builder
        )
        _, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com"))
        users.commit(change)
        # Its webhook has just been deleted.
        users.feed_readers.add_reader(FeedReader(world.board_id, "webhook:whk_gone", 0, due_at=world.now))
        for _ in range(3):
            world.add_card("One")
            function(build_stream_event(world.board_id), None)
            for body in queue.take_bodies():
                assert function(build_queue_event(body), None) == {"batchItemFailures": []}
            world.advance(minutes=1)
            function(SWEEP_EVENT, None)
        (stopped,) = users.webhooks.list_webhooks(world.board_id)
        _delete_user(world)
        function(SWEEP_EVENT, None)
        for body in queue.take_bodies():
            assert function(build_queue_event(body), None) == {"batchItemFailures": []}
        assert users.jobs.page_unended_jobs(1).items == ()
        assert [reader.name for reader in users.feed_readers.list_readers(world.board_id)] == [f"webhook:{stopped.id}"]

    assert stopped.state == WebhookState.STOPPED
    assert allowed("readers.yml", "ReadersRole") == recorder.calls


def _delete_user(world: World) -> None:
    """Start the deletion of a user who has everything that is erased, and a clock that runs."""
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.EDITOR)
    world.apply(cards.start, world.add_card("Two").id, user=bob)
    world.add_token(bob)
    at = world.now
    code = SignInCode("c" * 64, "bob", at, at + timedelta(minutes=10))
    identity = Identity("idn_1", "bob", "https://id.example", "b", at)
    deactivated = replace(bob, version=2, deactivated_at=at)
    world.store.commit(Change(creates=(code, identity), updates=(deactivated,)))
    world.store.commit(Change(creates=(jobs.create(JobKind.DELETE_USER, "bob", world.context()),)))


def allowed(file: str, name: str) -> Calls:
    """Return what a role's policy allows on the table."""
    template = (ROOT / "infrastructure" / "resources" / file).read_text()
    role = yaml.load(template, _Loader)["Resources"][name]  # noqa: S506 - it is a SafeLoader.
    (policy,) = role["Properties"]["Policies"]
    calls: Calls = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        calls |= {
            (action.removeprefix("dynamodb:"), "/index/" in statement["Resource"])
            for action in actions
            if action.startswith("dynamodb:") and "/stream/" not in statement["Resource"]
        }
    return calls


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the text that stands in them."""


_Loader.add_multi_constructor("!", lambda _, __, node: str(node.value))
