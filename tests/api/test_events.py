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
