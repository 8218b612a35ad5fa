"""A quota of the text on a user's boards: what is refused when it is full, and what is always possible."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from stores.sql.store import SqlStore
from tests.api.authorization_operations import OPERATIONS
from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock
from usecases.quotas import QuotaLimits

MAXIMUM = 10_000
LONG = "ü" * 2_500
MINUTE = 60.0
MARK = "x-tackboard-adds-text"


@dataclass
class Installation:
    """An installation where a user may have 10,000 bytes of text: Mina owns a board with a card, Omar edits it."""

    mina: Client
    omar: Client
    clock: ManualClock
    board: str
    card: str
    list_id: str
    ids: dict[str, str]

    def wait(self) -> None:
        """Let a minute pass, after which a count that may have changed is made again with the next request."""
        self.clock.advance(seconds=MINUTE)

    def fill(self) -> None:
        """Write as many bytes as a user may have, and let them be counted."""
        for _ in range(2):
            assert self.omar.post(f"{self.card}/comments", {"text": LONG}).status == 201
        self.count()

    def count(self) -> None:
        """Let the text be counted: by the next request that adds some, in a minute."""
        self.wait()
        self.mina.post(f"{self.board}/lists/{self.list_id}/copy", {"name": "Copy"}, Prefer="dry-run")


@pytest.fixture
def installation(store: Store, clock: ManualClock) -> Installation:
    def raise_breach(breach: ContractBreach) -> None:
        raise AssertionError(breach)

    application = create_app(
        store,
        clock=clock,
        unix_time=lambda: clock().timestamp(),
        open_signup=True,
        quotas=QuotaLimits(text_bytes=MAXIMUM),
        count_texts=lambda count: count(),
        on_breach=raise_breach,
    )
    anonymous = Client(application)
    mina, omar = (
        anonymous.with_token(anonymous.post("/users", {"id": user_id, "name": user_id}).json["token"])
        for user_id in ("mina", "omar")
    )
    board_id = create(mina, "/boards", {"name": "Website"})
    board = f"/boards/{board_id}"
    assert mina.put(f"{board}/members/omar", {"role": "editor"}).status == 201
    lists = [item["id"] for item in mina.get(f"{board}/lists").json["items"]]
    card_id = create(mina, f"{board}/cards", {"title": "Card", "list_id": lists[0]})
    card = f"{board}/cards/{card_id}"
    checklist_id = create(mina, f"{card}/checklists", {"name": "Steps"})
    hour = {"started_at": "2026-11-20T09:00:00Z", "ended_at": "2026-11-20T10:00:00Z"}
    ids = {
        "checklist_id": checklist_id,
        "item_id": create(mina, f"{card}/checklists/{checklist_id}/items", {"text": "Ask"}),
        "comment_id": create(mina, f"{card}/comments", {"text": "Hm."}),
        "entry_id": create(mina, f"{card}/time-entries", hour),
        "board_id": board_id,
        "second_list_id": lists[1],
    }
    assert mina.patch(card, {"title": "Renamed"}, **{"If-Match": "*"}).status == 200
    return Installation(mina, omar, clock, board, card, lists[0], ids)


def create(client: Client, path: str, body: Any) -> str:
    created = client.post(path, body)
    assert created.status == 201, created.raw
    return str(created.json["id"])


def ensure_full(response: HttpResponse, counted: int | None = None) -> None:
    assert (response.status, response.json["code"]) == (409, "too_many_bytes"), response.raw
    assert "10,000 are the most that a user may have here" in response.json["detail"]
    assert counted is None or f"take {counted:,} bytes" in response.json["detail"]


def send_all(installation: Installation, client: Client) -> dict[str, HttpResponse]:
    """Send a request of each operation that adds text to the board, by its name."""
    board, card, ids = installation.board, installation.card, installation.ids
    checklist = f"{card}/checklists/{ids['checklist_id']}"
    anything = {"If-Match": "*"}
    hour = {"started_at": "2026-11-20T11:00:00Z", "ended_at": "2026-11-20T12:00:00Z"}
    seq = client.get(board).json["seq"]
    own = create(client, "/boards", {"name": "Own"}) if client is installation.omar else ids["board_id"]
    source = f"/boards/{own}/cards"
    moved = create(client, source, {"title": "Moved"}) if client is installation.omar else ""
    return {
        "create_card": client.post(f"{board}/cards", {"title": "New"}),
        "update_card": client.patch(card, {"description": "New"}, **anything),
        "copy_card": client.post(f"{card}/copy", {}),
        "transfer_card": client.post(f"{source}/{moved}/transfer", {"board_id": ids["board_id"]}),
        "copy_list": client.post(f"{board}/lists/{installation.list_id}/copy", {"name": "Copy"}),
        "create_checklist": client.post(f"{card}/checklists", {"name": "New"}),
        "update_checklist": client.patch(checklist, {"name": "New"}, **anything),
        "create_checklist_item": client.post(f"{checklist}/items", {"text": "New"}),
        "update_checklist_item": client.patch(f"{checklist}/items/{ids['item_id']}", {"text": "New"}, **anything),
        "create_comment": client.post(f"{card}/comments", {"text": "New"}),
        "update_comment": installation.mina.patch(f"{card}/comments/{ids['comment_id']}", {"text": "New"}, **anything),
        "create_time_entry": client.post(f"{card}/time-entries", hour),
        "update_time_entry": client.patch(f"{card}/time-entries/{ids['entry_id']}", {"note": "New"}, **anything),
        "undo_event": client.post(f"{board}/undo", {"seq": seq}),
    }


def test_every_operation_that_adds_text_is_refused_when_the_quota_of_the_boards_creator_is_full(
    installation: Installation,
) -> None:
    installation.fill()

    responses = send_all(installation, installation.omar)

    assert responses.keys() == {name for name, operation in OPERATIONS.items() if MARK in operation.node}
    for response in responses.values():
        ensure_full(response, 10_018)


def test_nothing_that_moves_or_removes_is_refused(installation: Installation) -> None:
    installation.fill()
    omar, board, card = installation.omar, installation.board, installation.card

    statuses = [
        omar.get(f"{board}/export").status,
        omar.post(f"{card}/move", {"list_id": installation.ids["second_list_id"]}).status,
        omar.post(f"{card}/archive").status,
        omar.post(f"{card}/unarchive").status,
        omar.post(f"{card}/transfer", {"board_id": create(omar, "/boards", {"name": "Own"})}).status,
    ]

    assert statuses == [200, 200, 200, 200, 200]


def test_what_is_deleted_makes_room_a_minute_later(installation: Installation) -> None:
    installation.fill()
    ensure_full(installation.mina.post(f"{installation.board}/cards", {"title": "New"}))
    assert installation.omar.delete(installation.card, **{"If-Match": "*"}).status == 204
    ensure_full(installation.mina.post(f"{installation.board}/cards", {"title": "New"}))

    installation.count()

    assert installation.mina.post(f"{installation.board}/cards", {"title": "New"}).status == 201
    assert installation.mina.post(f"{installation.card}/restore").status == 200


def test_a_new_board_is_refused_to_a_user_whose_quota_is_full(installation: Installation) -> None:
    installation.fill()
    export = installation.mina.get(f"{installation.board}/export").json
    new: tuple[tuple[str, Any], ...] = (
        ("/boards", {"name": "New"}),
        (f"{installation.board}/copy", {}),
        ("/imports/tackboard", export),
    )

    for path, body in new:
        ensure_full(installation.mina.post(path, body))
        assert installation.omar.post(path, body).status == 201


def test_a_board_that_its_creator_has_left_counts_for_nobody(installation: Installation) -> None:
    installation.mina.put(f"{installation.board}/members/omar", {"role": "owner"})
    installation.fill()
    ensure_full(installation.omar.post(f"{installation.board}/cards", {"title": "New"}))

    assert installation.mina.delete(f"{installation.board}/members/mina").status == 204

    assert installation.omar.post(f"{installation.board}/cards", {"title": "New"}).status == 201


def test_who_may_not_write_learns_nothing_of_the_quota(installation: Installation) -> None:
    installation.fill()
    installation.mina.put(f"{installation.board}/members/omar", {"role": "viewer"})

    assert installation.omar.post(f"{installation.board}/cards", {"title": "New"}).json["code"] == "role_too_low"


def test_without_the_quota_no_text_is_counted(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise AssertionError("It was counted.")

    monkeypatch.setattr(SqlStore, "sum_text_bytes", fail)
    client = Client(create_app(store, clock=clock, open_signup=True, count_texts=fail))
    mina = client.with_token(client.post("/users", {"name": "Mina"}).json["token"])

    board_id = create(mina, "/boards", {"name": "Website"})

    assert mina.post(f"/boards/{board_id}/cards", {"title": LONG[:100]}).status == 201
