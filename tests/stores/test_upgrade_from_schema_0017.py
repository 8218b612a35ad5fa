"""What schema 0017 holds is used by what came later: the audit log, jobs, and invitations of users.

The API is called on the migrated database, because the tables alone don't tell that old rows are still what they were.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.factory import create_app
from app.job_runner import build_job_runner
from kanban import tokens
from kanban.changes import ActionContext
from kanban.store import Store
from kanban.values import Scope
from stores import open_store
from stores.sql import migrations
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores.conftest import postgresql
from tests.stores.test_upgrades import BOARD_ID, fill_database

__all__ = ["postgresql"]

BOARD = f"/boards/{BOARD_ID}"
INVITATION_ID = "inv_01m7wjyxw0g21k7me9wgs7f9wk"
SECRET = "0123456789abcdefghjkmnpqrs"
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()

ADDITIONS = f"""
INSERT INTO users (id, name, version, created_at, updated_at)
    VALUES ('usr_eve', 'Eve', 1, '2026-11-20T12:00:00Z', '2026-11-20T12:00:00Z');
INSERT INTO invitations (id, board_id, role, digest, note, max_uses, uses, created_by, version, created_at, expires_at)
    VALUES ('{INVITATION_ID}', '{BOARD_ID}', 'editor', '{DIGEST}', 'Rui', 5, 1, 'usr_ann', 2,
        '2026-11-20T12:00:00Z', '2026-11-27T12:00:00Z'),
    ('inv_01m7wjyxw0g21k7me9wgs7f9wm', NULL, NULL, '{DIGEST}', '', 1, 0, 'usr_ann', 1,
        '2026-11-20T12:00:00Z', '2026-11-27T12:00:00Z');
UPDATE users SET deactivated_at = '2026-11-20T13:00:00Z' WHERE id = 'usr_bob';
UPDATE members SET deactivated_at = '2026-11-20T13:00:00Z' WHERE user_id = 'usr_bob';
"""  # noqa: S608 - the digest is no input.


class MigratedStore(NamedTuple):
    """A store that was migrated from schema 0017, and clients of two of its users."""

    store: Store
    clock: ManualClock
    ann: Client
    eve: Client


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MigratedStore]:
    """Fill a database of schema 0017 with users and invitations, and migrate it."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/tackboard.db"
        if request.param == "postgresql":
            server: PostgresqlServer = request.getfixturevalue("postgresql")
            url = server.url(stack.enter_context(server.database()))
        fill_database(url, "0017", ADDITIONS)
        reports: list[str] = []
        store = stack.enter_context(closing(open_store(url, report=reports.append)))
        assert f"from schema 0017 to {migrations.HEAD}." in reports[0]
        clock = ManualClock()
        application = create_app(store, clock=clock, joining_takes_consent=True)
        ann, eve = (Client(application, add_token(store, clock, user_id)) for user_id in ("usr_ann", "usr_eve"))
        yield MigratedStore(store, clock, ann, eve)


def add_token(store: Store, clock: ManualClock, user_id: str) -> str:
    context = ActionContext(user_id, clock(), lambda _: f"tok_{user_id}")
    _, text, change = tokens.issue(context, user_id.encode().ljust, user_id=user_id, name="Test", scopes=set(Scope))
    store.commit(change)
    return text


def read_items(client: Client, path: str) -> list[dict[str, Any]]:
    response = client.get(path)
    assert response.status == 200, response.raw
    items: list[dict[str, Any]] = response.json["items"]
    return items


def test_an_invitation_of_before_is_for_everybody_who_has_its_secret(migrated: MigratedStore) -> None:
    (to_board,), (to_nothing,) = (read_items(migrated.ann, path) for path in (f"{BOARD}/invitations", "/invitations"))
    assert (to_board["id"], to_board["role"], to_board["note"], to_board["uses"]) == (
        INVITATION_ID,
        "editor",
        "Rui",
        1,
    )
    assert (to_board["invitee_id"], to_nothing["invitee_id"]) == (None, None)
    assert read_items(migrated.eve, "/users/me/invitations") == []

    accepted = migrated.eve.post(f"/invitations/{INVITATION_ID}/accept", {"secret": SECRET})

    assert (accepted.status, accepted.json["role"]) == (200, "editor")
    assert read_items(migrated.ann, f"{BOARD}/invitations")[0]["uses"] == 2


def test_a_user_of_before_is_asked_to_join(migrated: MigratedStore) -> None:
    asked = migrated.ann.put(f"{BOARD}/members/usr_eve", {"role": "viewer"})

    assert (asked.status, asked.json["state"]) == (201, "invited")
    (received,) = read_items(migrated.eve, "/users/me/invitations")
    assert migrated.eve.post(f"/users/me/invitations/{received['id']}/accept").status == 200
    assert migrated.eve.get(BOARD).status == 200


def test_a_user_who_was_deactivated_before_is_deleted_by_a_job(migrated: MigratedStore) -> None:
    assert migrated.ann.get("/users/usr_bob").json["state"] == "deactivated"
    assert (read_items(migrated.ann, "/audit-entries"), read_items(migrated.ann, "/jobs")) == ([], [])

    started = migrated.ann.delete("/users/usr_bob")
    runner = build_job_runner(migrated.store, clock=migrated.clock)
    for job in runner.list_due():
        runner.run(job, lambda: True)

    assert started.status == 202
    assert migrated.ann.get(f"/jobs/{started.json['id']}").json["result"] == {"board_count": 1}
    assert migrated.ann.get("/users/usr_bob").json["state"] == "deleted"
    assert [member["user_id"] for member in read_items(migrated.ann, f"{BOARD}/members")] == ["usr_ann"]
    assert [entry["type"] for entry in read_items(migrated.ann, "/audit-entries")] == ["user.deleted"]
