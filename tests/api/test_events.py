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


@pytest.fixture
def card_path(mina: Client, event_feed: str) -> str:
    """Rename and delete a card, and rename another; return the path of the other."""
    first, second, *_ = mina.get(f"{event_feed.removesuffix('/events')}/cards").json["items"]
    path = f"{event_feed.removesuffix('/events')}/cards"
    mina.patch(f"{path}/{first['id']}", {"title": "Gone"}, If_Match="*")
    mina.delete(f"{path}/{first['id']}", If_Match="*")
    mina.patch(f"{path}/{second['id']}", {"title": "Kept"}, If_Match="*")
    return f"{path}/{second['id']}"


def get_seqs(client: Client, path: str) -> list[int]:
    """Return the seqs of the events of all pages."""
    seqs: list[int] = []
    while path:
        page = client.get(path)
        assert page.status == 200, page.raw
        seqs += [event["seq"] for event in page.json["items"]]
        link = page.headers.get("link", "")
        path = link.partition(">")[0].removeprefix("</v1") if link else ""
        assert bool(link) == page.json["has_more"]
    return seqs


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_feed_is_asked_by_card_type_and_order(mina: Client, event_feed: str, card_path: str, limit: int) -> None:
    card_id = card_path.rpartition("/")[2]
    other_id = next(event["card_id"] for event in mina.get(event_feed).json["items"] if event["type"] == "card.deleted")

    for query, seqs in {
        "": [1, 2, 3, 4, 5, 6, 7, 8],
        "&sort=-seq": [8, 7, 6, 5, 4, 3, 2, 1],
        "&sort=-seq&before=4&after=1": [3, 2],
        "&before=4&after=1": [2, 3],
        "&type=card.updated": [6, 8],
        "&type=card.updated,board.created": [1, 6, 8],
        "&type=card.updated&type=card.deleted&sort=-seq": [8, 7, 6],
        f"&card_id={card_id}": [3, 8],
        f"&card_id={other_id}&sort=-seq": [7, 6, 2],
        "&type=card.nonsense": [],
        "&card_id=crd_01m7wkh7t08a422d8ejt8mj7v1": [],
    }.items():
        assert get_seqs(mina, f"{event_feed}?limit={limit}{query}") == seqs, query
    assert get_seqs(mina, f"{card_path}/events?limit={limit}&sort=-seq") == [8, 3]
    assert get_seqs(mina, f"{card_path}/events?limit={limit}&type=card.updated") == [8]


def test_the_feed_is_asked_by_token(mina: Client, event_feed: str) -> None:
    board = event_feed.removesuffix("/events")
    created = mina.post("/users/me/tokens", {"name": "Program", "scopes": ["read", "write"]}).json
    program = mina.with_token(created["secret"])
    by_program = f"{event_feed}?token_id={created['token']['id']}"

    first = program.post(f"{board}/lists", {"name": "Later", "stage": "todo"}).json
    mina.post(f"{board}/lists", {"name": "Never", "stage": "todo"})
    program.patch(f"{board}/lists/{first['id']}", {"name": "Soon"}, If_Match="*")

    assert get_seqs(mina, f"{by_program}&limit=1") == [6, 8]
    assert get_seqs(mina, f"{by_program}&limit=1&sort=-seq&after=6") == [8]
    assert get_seqs(mina, f"{by_program}&type=list.created") == [6]
    assert mina.get(f"{event_feed}?token_id=tok_01m7wjcky0g2sttba3hfxfm7n6").json["items"] == []


def test_a_filtered_page_says_how_far_it_got(mina: Client, event_feed: str, card_path: str) -> None:
    by_type = mina.get(f"{event_feed}?type=card.deleted").json
    none_yet = mina.get(f"{event_feed}?type=card.deleted&after=8").json
    of_card = mina.get(f"{card_path}/events?after=3&limit=1").json

    assert (by_type["last_seq"], by_type["has_more"]) == (8, False)
    assert (none_yet["last_seq"], none_yet["has_more"]) == (8, False)
    assert (of_card["last_seq"], of_card["has_more"]) == (8, False)


def test_the_tag_of_the_newest_events_changes_with_the_next_event(mina: Client, card_path: str) -> None:
    newest = mina.get(f"{card_path}/events?sort=-seq")
    again = mina.get(f"{card_path}/events?sort=-seq", If_None_Match=newest.etag)
    mina.patch(card_path, {"title": "New"}, If_Match="*")

    assert again.status == 304
    assert mina.get(f"{card_path}/events?sort=-seq", If_None_Match=newest.etag).status == 200


def test_the_events_of_a_card_that_is_not_there_are_not_found(mina: Client, omar: Client, card_path: str) -> None:
    mina.delete(card_path, If_Match="*")

    gone, foreign = mina.get(f"{card_path}/events"), omar.get(f"{card_path}/events")

    assert (gone.status, gone.json["code"]) == (404, "card_not_found")
    assert (foreign.status, foreign.json["code"]) == (404, "board_not_found")


@pytest.mark.parametrize(
    "query",
    ["before=0", "before=1000000000000", "type=", "type=x", "sort=at", "card_id=x", "token_id=x", "before=1&before=2"],
)
def test_a_wrong_filter_is_refused(mina: Client, event_feed: str, query: str) -> None:
    response = mina.get(f"{event_feed}?{query}")

    assert (response.status, response.json["code"]) == (400, "invalid_parameter")


def test_a_cursor_of_another_history_is_refused(mina: Client, event_feed: str, card_path: str) -> None:
    board = mina.get(event_feed.removesuffix("/events")).json
    history = board["history"]
    other = f"hst_{'0' * 26}"

    assert history == f"hst_{board['id'].removeprefix('brd_')}"
    for feed in (event_feed, f"{card_path}/events"):
        assert mina.get(f"{feed}?after=3").json["history"] == history
        assert mina.get(f"{feed}?after=3&history={history}").json == mina.get(f"{feed}?after=3").json
        assert mina.get(f"{feed}?after={board['seq']}&history={history}").status == 200
        for query in (f"after=3&history={other}", f"after={board['seq'] + 1}&history={history}"):
            response = mina.get(f"{feed}?{query}")
            assert (response.status, response.json["code"]) == (409, "other_history")
    assert mina.get(f"{event_feed}?after=999").json["last_seq"] == 999


def test_a_board_that_is_imported_has_a_history_of_its_own(mina: Client, event_feed: str) -> None:
    exported = mina.get(f"{event_feed.removesuffix('/events')}/export").json
    board = mina.post("/imports/tackboard", exported).json["board"]

    response = mina.get(f"/boards/{board['id']}/events?history={mina.get(event_feed).json['history']}")

    assert (response.status, response.json["code"]) == (409, "other_history")
