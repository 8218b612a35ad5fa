"""Jobs, and the deletion of users that they do, as clients see them."""

from typing import Any

import pytest

from app.job_runner import build_job_runner
from kanban.store import Store
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


@pytest.fixture
def gone(mina: Client, omar: Client) -> Client:
    """Return a client of Omar, who was deactivated by Mina."""
    assert mina.post("/users/omar/deactivate").status == 200
    return omar


def start_deletion(client: Client, user_id: str = "omar", **headers: str) -> HttpResponse:
    return client.delete(f"/users/{user_id}", **headers)


def run_jobs(store: Store, clock: ManualClock) -> None:
    runner = build_job_runner(store, clock=clock)
    for job in runner.list_due():
        runner.run(job, lambda: True)


@pytest.mark.usefixtures("gone")
def test_a_deletion_is_accepted_and_its_job_tells_how_far_it_is(mina: Client, store: Store, clock: ManualClock) -> None:
    started = start_deletion(mina)
    location = started.headers["location"].removeprefix("/v1")
    queued = mina.get(location)

    assert (started.status, queued.json) == (202, started.json)
    assert (queued.json["kind"], queued.json["subject_id"], queued.json["state"]) == ("delete_user", "omar", "queued")
    assert (queued.json["progress"], queued.json["result"]) == ({"done": 0, "total": None}, None)
    assert mina.get(location, **{"If-None-Match": queued.etag}).status == 304

    run_jobs(store, clock)

    done: Any = mina.get(location, **{"If-None-Match": queued.etag}).json
    assert (done["state"], done["progress"], done["result"]) == ("done", {"done": 0, "total": 0}, {"board_count": 0})
    assert done["ended_at"] is not None
    assert mina.get("/users/omar").json["state"] == "deleted"


@pytest.mark.usefixtures("gone")
def test_nobody_else_sees_a_job_not_even_an_owner_of_the_installation(mina: Client, anonymous: Client) -> None:
    zoe = anonymous.with_token(anonymous.post("/users", {"id": "zoe", "name": "Zoe"}).json["token"])
    mina.patch("/users/zoe", {"installation_role": "owner"}, **{"If-Match": "*"})
    job_id = start_deletion(mina).json["id"]

    for response in (zoe.get(f"/jobs/{job_id}"), zoe.post(f"/jobs/{job_id}/cancel")):
        assert (response.status, response.json["code"]) == (404, "job_not_found")
    assert zoe.get("/jobs").json == {"items": [], "next_cursor": None}
    assert [job["id"] for job in mina.get("/jobs").json["items"]] == [job_id]


@pytest.mark.usefixtures("gone")
def test_jobs_are_listed_newest_first_and_paged(mina: Client, anonymous: Client) -> None:
    for user_id in ("zoe", "yan"):
        anonymous.post("/users", {"id": user_id, "name": "Old"})
        mina.post(f"/users/{user_id}/deactivate")
    started = [start_deletion(mina, user_id).json["id"] for user_id in ("omar", "zoe", "yan")]

    first = mina.get("/jobs?limit=2").json
    second = mina.get(f"/jobs?limit=2&cursor={first['next_cursor']}").json

    assert [job["id"] for page in (first, second) for job in page["items"]] == started[::-1]
    assert second["next_cursor"] is None


@pytest.mark.usefixtures("gone")
def test_a_job_is_cancelled_once(mina: Client, store: Store, clock: ManualClock) -> None:
    job_id = start_deletion(mina).json["id"]

    cancelled = mina.post(f"/jobs/{job_id}/cancel")
    again = mina.post(f"/jobs/{job_id}/cancel")

    assert (cancelled.status, cancelled.json["state"], cancelled.json["version"]) == (200, "cancelled", 2)
    assert (again.status, again.json["code"]) == (409, "job_ended")
    assert again.json["detail"] == "This job has ended: its state is cancelled."
    run_jobs(store, clock)
    assert mina.get("/users/omar").json["state"] == "deactivated"


@pytest.mark.usefixtures("gone")
def test_one_deletion_of_a_user_at_a_time_is_under_way(mina: Client, store: Store, clock: ManualClock) -> None:
    first = start_deletion(mina, **{"Idempotency-Key": "one"})
    second = start_deletion(mina)
    replayed = start_deletion(mina, **{"Idempotency-Key": "one"})

    assert (second.status, second.json["code"]) == (409, "deletion_under_way")
    assert (replayed.status, replayed.json) == (202, first.json)
    run_jobs(store, clock)
    assert start_deletion(mina).status == 202


def test_an_active_user_is_not_deleted(mina: Client, omar: Client) -> None:
    assert omar.get("/users/me").json["state"] == "active"
    rejected = start_deletion(mina)

    assert (rejected.status, rejected.json["code"]) == (409, "user_active")
    assert start_deletion(mina, "mina").json["code"] == "user_active"
    assert mina.get("/jobs").json["items"] == []


def test_boards_that_would_have_no_owner_are_named(mina: Client, omar: Client) -> None:
    board_ids = [omar.post("/boards", {"name": name}).json["id"] for name in ("One", "Two")]
    mina.post("/users/omar/deactivate")

    rejected = start_deletion(mina)

    assert (rejected.status, rejected.json["code"]) == (409, "boards_without_owner")
    assert sorted(rejected.json["board_ids"]) == sorted(board_ids)
    assert rejected.json["detail"].startswith("2 boards would be left without an active owner")
    mina.post("/users/omar/transfer-boards", {"to_user_id": "mina"})
    assert start_deletion(mina).status == 202


def test_a_user_can_delete_neither_others_nor_themselves(gone: Client, mina: Client, anonymous: Client) -> None:
    zoe = anonymous.with_token(anonymous.post("/users", {"id": "zoe", "name": "Zoe"}).json["token"])

    for user_id in ("omar", "zoe"):
        rejected = start_deletion(zoe, user_id)
        assert (rejected.status, rejected.json["code"]) == (403, "installation_owner_only")
    assert zoe.delete("/users/me").status == 405
    assert start_deletion(gone, "zoe").status == 401
    assert start_deletion(mina, "nobody").json["code"] == "user_not_found"


@pytest.mark.usefixtures("gone")
def test_a_dry_run_starts_nothing(mina: Client) -> None:
    response = start_deletion(mina, Prefer="dry-run")

    assert (response.status, "location" in response.headers) == (202, False)
    assert mina.get("/jobs").json["items"] == []
