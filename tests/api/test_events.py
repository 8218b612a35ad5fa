"""The event feed: pages of events, and entity tags for polling."""

import pytest

from tests.api.client import Client


@pytest.fixture
def event_feed(mina: Client) -> str:
    """Create a board and four cards, and return the path of its feed with five events."""
    path = f"/boards/{mina.post('/boards', {'name': 'Home'}).json['id']}"
    for number in range(4):
        mina.post(f"{path}/cards", {"title": str(number)})
    return f"{path}/events"


def test_a_client_that_sends_the_tag_of_each_page_misses_no_event(mina: Client, event_feed: str) -> None:
    heard: list[int] = []
    statuses: list[int] = []
    after, tag = 0, ""

    while not statuses or statuses[-1] != 304:
        page = mina.get(f"{event_feed}?after={after}&limit=2", If_None_Match=tag or '"none"')
        statuses.append(page.status)
        if page.status == 200:
            heard += [event["seq"] for event in page.json["items"]]
            after, tag = page.json["last_seq"], page.etag

    assert heard == [1, 2, 3, 4, 5]
    assert statuses == [200, 200, 200, 304]


def test_the_tag_of_the_last_page_is_valid_until_the_next_event(mina: Client, event_feed: str) -> None:
    last = mina.get(f"{event_feed}?after=0")
    url = f"{event_feed}?after={last.json['last_seq']}"

    unchanged = mina.get(url, If_None_Match=last.etag)
    mina.post(f"{event_feed.removesuffix('/events')}/cards", {"title": "New"})
    changed = mina.get(url, If_None_Match=last.etag)

    assert (unchanged.status, changed.status) == (304, 200)
    assert [event["type"] for event in changed.json["items"]] == ["card.created"]


def test_the_tag_of_a_full_page_changes_when_more_events_follow(mina: Client, event_feed: str) -> None:
    full = mina.get(f"{event_feed}?after=0&limit=5")
    mina.post(f"{event_feed.removesuffix('/events')}/cards", {"title": "New"})

    again = mina.get(f"{event_feed}?after=0&limit=5", If_None_Match=full.etag)

    assert (full.json["has_more"], again.status, again.json["has_more"]) == (False, 200, True)


def test_an_event_says_what_changed_by_which_token_and_request(mina: Client, event_feed: str) -> None:
    card = mina.get(f"{event_feed.removesuffix('/events')}/cards").json["items"][0]
    path = f"{event_feed.removesuffix('/events')}/cards/{card['id']}"

    mina.patch(path, {"title": "New", "due_at": "2026-12-01T00:00:00Z"}, If_Match="*", X_Request_Id="first-request")
    mina.put(f"{path}/assignees/mina")
    *_, updated, assigned = mina.get(event_feed).json["items"]

    assert updated["data"] == {"changed": ["due_at", "title"]}
    assert updated["changes"] == [
        {"field": "title", "from": card["title"], "to": "New"},
        {"field": "due_at", "from": None, "to": "2026-12-01T00:00:00Z"},
    ]
    assert assigned["changes"] == [{"field": "assignee_ids", "added": ["mina"], "removed": []}]
    assert updated["token_id"] == assigned["token_id"] == mina.get("/users/me/tokens").json["items"][0]["id"]
    assert (updated["request_id"], len(assigned["request_id"])) == ("first-request", 32)


def test_a_request_id_that_is_a_token_is_not_kept(mina: Client, event_feed: str) -> None:
    response = mina.post(
        f"{event_feed.removesuffix('/events')}/cards", {"title": "New"}, X_Request_Id=f"x-{mina.token}"[:64]
    )
    event = mina.get(event_feed).json["items"][-1]

    assert event["request_id"] == response.headers["x-request-id"]
    assert "tkb_" not in event["request_id"]


def test_a_history_that_was_imported_has_no_values(mina: Client, event_feed: str) -> None:
    exported = mina.get(f"{event_feed.removesuffix('/events')}/export").json
    board = mina.post("/imports/tackboard", exported).json["board"]

    *history, imported = mina.get(f"/boards/{board['id']}/events").json["items"]

    assert {tuple(sorted(event.keys() & {"changes", "token_id", "request_id"})) for event in history} == {()}
    assert imported["type"] == "board.imported"
    assert imported["changes"] == []
    assert imported["request_id"]
