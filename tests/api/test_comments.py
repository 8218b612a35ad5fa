"""Comments on a card."""

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client, omar: Client) -> str:
    """Create a board of Mina with Omar as an editor and return its path."""
    assert omar.token
    path = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    mina.request("PUT", f"{path}/members/omar", {"role": "editor"})
    return path


@pytest.fixture
def card(mina: Client, board: str) -> str:
    """Create a card and return its path."""
    return f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Copy'}).json['id']}"


def add_comment(client: Client, card: str, text: str) -> HttpResponse:
    return client.post(f"{card}/comments", {"text": text})


def test_a_comment_is_created_read_updated_and_deleted(mina: Client, board: str, card: str, clock: ManualClock) -> None:
    created = add_comment(mina, card, "Looks *god*.")
    path = created.headers["location"].removeprefix("/v1")
    clock.advance(minutes=5)

    read = mina.get(path)
    edited = mina.patch(path, {"text": "Looks *good*."}, If_Match=created.etag)
    stale = mina.patch(path, {"text": "No"}, If_Match=created.etag)
    without_if_match = mina.delete(path)
    counted = mina.get(card).json["comment_count"]
    deleted = mina.delete(path, If_Match=edited.etag)

    assert (created.status, created.json["author_id"], read.json, read.etag) == (
        201,
        "mina",
        created.json,
        created.etag,
    )
    assert (edited.json["text"], edited.json["updated_at"]) == ("Looks *good*.", "2026-11-20T14:05:00Z")
    assert (stale.status, without_if_match.status, deleted.status, counted) == (412, 428, 204, 1)
    assert mina.get(path).json["code"] == "comment_not_found"
    assert mina.get(card).json["comment_count"] == 0
    events = mina.get(f"{board}/events?after=3").json["items"]
    assert [event["type"] for event in events] == ["comment.created", "comment.updated", "comment.deleted"]
    assert {tuple(event["data"]) for event in events} == {("comment_id",)}


def test_markdown_is_stored_unchanged(mina: Client, card: str) -> None:
    text = "  # Title\n\n\tcode <script>alert(1)</script>\n* Café 👩\u200d🚀\n\n"

    assert add_comment(mina, card, text).json["text"] == text


def test_comments_are_paged_newest_first(mina: Client, card: str, clock: ManualClock) -> None:
    for number in range(5):
        add_comment(mina, card, f"Comment {number}")
        clock.advance(seconds=number % 2)

    path: str | None = f"{card}/comments?limit=2"
    pages = []
    while path:
        page = mina.get(path)
        pages.append([comment["text"] for comment in page.json["items"]])
        path = page.headers.get("link", "").partition(">")[0].removeprefix("</v1") or None

    assert pages == [["Comment 4", "Comment 3"], ["Comment 2", "Comment 1"], ["Comment 0"]]


def test_only_the_author_updates_a_comment_and_an_owner_may_delete_it(mina: Client, omar: Client, card: str) -> None:
    comment_of_omar = add_comment(omar, card, "Buy now!").headers["location"].removeprefix("/v1")
    comment_of_mina = add_comment(mina, card, "No.").headers["location"].removeprefix("/v1")

    edited = mina.patch(comment_of_omar, {"text": "I am sorry."}, If_Match="*")
    without_if_match = mina.patch(comment_of_omar, {"text": "I am sorry."})
    deleted_by_other = omar.delete(comment_of_mina, If_Match="*")
    deleted_by_owner = mina.delete(comment_of_omar, If_Match="*")

    for rejected in (edited, without_if_match, deleted_by_other):
        assert (rejected.status, rejected.json["code"]) == (403, "not_the_author")
    assert deleted_by_owner.status == 204
    assert [comment["text"] for comment in mina.get(f"{card}/comments").json["items"]] == ["No."]


def test_a_viewer_can_not_write_comments_nor_update_own_ones(mina: Client, omar: Client, board: str, card: str) -> None:
    comment_path = add_comment(omar, card, "First").headers["location"].removeprefix("/v1")
    mina.request("PUT", f"{board}/members/omar", {"role": "viewer"})

    assert omar.get(comment_path).status == 200
    rejected = [
        add_comment(omar, card, "Second"),
        omar.patch(comment_path, {"text": "x"}, If_Match="*"),
        omar.delete(comment_path, If_Match="*"),
    ]
    assert {(response.status, response.json["code"]) for response in rejected} == {(403, "role_too_low")}


def test_comments_stay_when_their_author_leaves(mina: Client, omar: Client, board: str, card: str) -> None:
    add_comment(omar, card, "Good luck")
    omar.delete(f"{board}/members/omar")

    assert [comment["author_id"] for comment in mina.get(f"{card}/comments").json["items"]] == ["omar"]


def test_a_comment_changes_the_tag_of_the_card_and_not_its_version(mina: Client, card: str) -> None:
    before = mina.get(card)

    add_comment(mina, card, "Looks good.")

    assert mina.get(card, If_None_Match=before.etag).status == 200
    assert mina.get(card).json["updated_at"] == before.json["updated_at"]
    assert mina.patch(card, {"title": "Text"}, If_Match=before.etag).status == 200


def test_a_comment_on_another_card_is_not_found(mina: Client, board: str, card: str) -> None:
    comment_id = add_comment(mina, card, "Here").json["id"]
    other = mina.post(f"{board}/cards", {"title": "Other"}).json["id"]

    on_other_card = mina.get(f"{board}/cards/{other}/comments/{comment_id}")
    unknown = mina.get(f"{board}/cards/crd_{'0' * 26}/comments")

    assert (on_other_card.status, on_other_card.json["code"]) == (404, "comment_not_found")
    assert (unknown.status, unknown.json["code"]) == (404, "card_not_found")


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\t\n", "\u200b\n\u2060", "a\u0000b", "a\u0007b", "a\rb", "x" * 10_001, None, 1, ["a"]]
)
def test_an_invalid_comment_is_rejected(mina: Client, card: str, text: object) -> None:
    rejected = mina.post(f"{card}/comments", {"text": text})

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_body")
    assert mina.get(card).json["comment_count"] == 0


def test_a_comment_at_the_length_limit_is_accepted(mina: Client, card: str) -> None:
    assert add_comment(mina, card, "😀" * 10_000).status == 201
