"""The schedule has the function erase what was deleted long ago, in the time that there is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import yaml

from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.scheduled_purge import PURGE_EVENT, ScheduledPurge
from infrastructure.deployment.package_build import ROOT
from kanban.store import Unavailable
from stores import open_store
from tests.api.client import Client
from tests.aws.test_request_records import NOW

Scheduled = Callable[..., dict[str, Any]]


@pytest.fixture
def purged(dynoxide: str) -> Iterator[tuple[Client, Scheduled]]:
    """Yield a client, and a function that sends the schedule's event so many days later."""
    deadline, days = Deadline(), [0]
    url = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"
    with closing(open_store(url, remaining_seconds=deadline.remaining)) as store:
        application = create_app(store, clock=lambda: NOW, open_signup=True)
        purge = ScheduledPurge(store, lambda: NOW + timedelta(days=days[0]))
        function = Function(
            application, deadline, RequestRecorder("test", lambda: NOW, lambda: 0.0, lambda _: None), purge
        )

        def send(*, days_later: int, milliseconds: float = 15_000) -> dict[str, Any]:
            days[0] = days_later
            return function(PURGE_EVENT, SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds))

        client = Client(application)
        yield client.with_token(client.post("/users", {"name": "Mina"}).json["token"]), send


@pytest.fixture
def with_a_deleted_board(purged: tuple[Client, Scheduled]) -> Scheduled:
    mina, send = purged
    board = mina.post("/boards", {"name": "Old"})
    path = f"/boards/{board.json['id']}"
    for number in range(5):
        mina.post(f"{path}/cards", {"title": str(number)})
    mina.delete(path, If_Match="*")
    return send


def test_what_was_deleted_long_ago_is_erased(with_a_deleted_board: Scheduled) -> None:
    answer = with_a_deleted_board(days_later=32)

    assert answer["done"] is True
    assert answer["erased"] > 5
    assert with_a_deleted_board(days_later=32) == {"erased": 0, "done": True}


def test_what_can_still_be_restored_is_left(with_a_deleted_board: Scheduled) -> None:
    assert with_a_deleted_board(days_later=30) == {"erased": 0, "done": True}


@pytest.mark.parametrize(("days_later", "origin"), [(29, {"address": None, "client": "curl"}), (32, None)])
def test_from_where_tokens_were_used_long_ago_is_erased(
    purged: tuple[Client, Scheduled], days_later: int, origin: dict[str, str | None] | None
) -> None:
    mina, send = purged
    mina.get("/boards", User_Agent="curl")

    assert send(days_later=days_later) == {"erased": 0, "done": True}

    # The time of the application stands still: the response would show what is stored.
    assert mina.get("/users/me/tokens").json["items"][0]["last_used_from"] == origin


def test_what_there_is_no_time_for_is_left_to_the_next(with_a_deleted_board: Scheduled) -> None:
    assert with_a_deleted_board(days_later=32, milliseconds=2_400) == {"erased": 0, "done": False}
    assert with_a_deleted_board(days_later=32)["done"] is True


def test_a_table_that_cannot_be_used_is_no_quiet_end(dynoxide: str) -> None:
    store = open_store(f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}")
    store.close()

    completions: list[int] = []

    with pytest.raises(Unavailable):
        ScheduledPurge(store, lambda: NOW, lambda: completions.append(1))()
    assert not completions


@pytest.mark.parametrize(("seconds", "ends_well"), [(15.0, True), (2.4, False)])
def test_a_purge_that_erases_nothing_although_something_is_left_has_not_ended_well(
    dynoxide: str, seconds: float, *, ends_well: bool
) -> None:
    completions: list[int] = []
    remaining = [15.0]
    url = f"dynamodb://tackboard-{uuid4().hex}?endpoint={dynoxide}"

    with closing(open_store(url, remaining_seconds=lambda: remaining[0])) as store:
        remaining[0] = seconds
        ScheduledPurge(store, lambda: NOW, lambda: completions.append(1))()

    assert bool(completions) is ends_well


def test_the_schedule_sends_what_the_function_waits_for() -> None:
    resources = yaml.load((ROOT / "infrastructure" / "resources" / "purge.yml").read_text(), _Loader)["Resources"]  # noqa: S506 - it is a SafeLoader.
    (target,) = resources["PurgeSchedule"]["Properties"]["Targets"]

    assert yaml.safe_load(target["Input"]) == PURGE_EVENT


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the text that stands in them."""


_Loader.add_multi_constructor("!", lambda _, __, node: str(node.value))
