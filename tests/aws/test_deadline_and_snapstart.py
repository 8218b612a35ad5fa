"""The function on DynamoDB: it looks at Lambda's clock, counts its calls, and outlives being frozen."""

import itertools
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from app.factory import create_app
from aws import snapstart
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.scheduled_purge import ScheduledPurge
from stores import open_store
from stores.dynamodb.calls import CallRejected
from tests.aws.test_request_records import NOW
from tests.contract.aws_events import http_api_event


class Running:
    """The function as it runs, and what it wrote."""

    def __init__(self, address: str) -> None:
        self.lines: list[bytes] = []
        deadline = Deadline()
        url = f"dynamodb://tackboard-{uuid4().hex}?endpoint={address}"
        self.client: Any = None
        self.store = open_store(url, remaining_seconds=deadline.remaining, on_client=self._watch)
        records = RequestRecorder("test", lambda: NOW, time.perf_counter, self.lines.append)
        application = create_app(self.store, open_signup=True)
        self._function = Function(application, deadline, records, ScheduledPurge(self.store, lambda: NOW))

    def _watch(self, client: Any) -> None:
        self.client = client
        snapstart.register_client(client)

    def ask(
        self, method: str, target: str, body: object = None, *, milliseconds: float = 15_000, step: float = 0
    ) -> tuple[int, Any]:
        """Send a request with so much time left, of which each query takes `step`. Return the status and log line."""
        left = itertools.count(milliseconds, -step)
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
        event = http_api_event(
            method, target, json.dumps(body) if body is not None else None, {"content-type": "application/json"}
        )
        answer = self._function(event, context)
        return answer["statusCode"], json.loads(self.lines[-1])


@pytest.fixture
def running(dynoxide: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(snapstart, "_clients", [])
    made = Running(dynoxide)
    with closing(made.store):
        yield made


def test_nothing_is_begun_when_too_little_time_remains(running: Running) -> None:
    status, line = running.ask("POST", "/v1/users", {"name": "Mina"}, milliseconds=2_400)

    assert (status, line["code"], line["store_calls"]) == (503, "busy", 0)
    assert running.store.read_installation_owner() is None


def test_with_time_enough_it_is_done(running: Running) -> None:
    status, line = running.ask("POST", "/v1/users", {"name": "Mina"}, milliseconds=6_000)

    assert status == 201
    assert line["store_calls"] >= 1


def test_between_two_events_there_is_all_the_time(running: Running) -> None:
    running.ask("GET", "/v1/ready", milliseconds=0)

    running.store.check_ready()


def test_readiness_is_one_call(running: Running) -> None:
    running.ask("GET", "/v1/health")

    assert running.ask("GET", "/v1/health")[1]["store_calls"] == 0
    assert running.ask("GET", "/v1/ready")[1]["store_calls"] == 1


def test_a_thawed_process_opens_its_own_connections(running: Running) -> None:
    snapstart.close_connections()

    assert running.ask("GET", "/v1/ready")[0] == 200


def test_a_thawed_process_takes_its_own_chances() -> None:
    frozen = random.getstate()
    drawn = []
    for _ in range(2):
        random.setstate(frozen)
        snapstart.reseed_random()
        drawn.append(random.random())  # noqa: S311 - it is not used.

    assert drawn[0] != drawn[1]


def test_lambda_is_asked_to_call_when_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    runtime = ModuleType("snapshot_restore_py")
    runtime.register_before_snapshot = hooks.append  # type: ignore[attr-defined] # it is Lambda's.
    runtime.register_after_restore = hooks.append  # type: ignore[attr-defined] # it is Lambda's.
    runtime.__spec__ = SimpleNamespace()  # type: ignore[assignment] # it is looked for.
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)

    snapstart.register_snapshot_hooks(print)

    assert hooks == [print, snapstart.close_connections, snapstart.reseed_random]


def test_a_call_that_is_tried_again_stops_while_there_is_time_to_answer(running: Running) -> None:
    def fail(*_: Any) -> None:
        raise CallRejected(500, "InternalServerError", "", {})

    running.client.add_listener(fail)

    status, line = running.ask("GET", "/v1/ready", milliseconds=4_000, step=500)

    assert (status, line["code"], line["store_calls"]) == (503, "busy", 2)


def test_ids_of_requests_come_from_the_kernel_and_not_from_what_was_frozen(running: Running) -> None:
    made = []
    frozen = random.getstate()
    for _ in range(2):
        random.setstate(frozen)
        running.ask("POST", "/v1/users", {"name": "Mina"})
        made.append(json.loads(running.lines[-1])["request_id"])

    assert made[0] != made[1]
