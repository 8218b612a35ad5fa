"""What a client learns by `list_changes` makes its copy of a board equal to the board, on every engine."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from app.factory import create_app
from kanban.ordering import ranks
from tests.api.board_reader import mask_clocks, read_board
from tests.api.client import Client
from tests.readme.board_copies import BoardCopy, make_copy
from tests.stores.world import World


class Follower:
    """Ann's copy of the board."""

    def __init__(self, world: World) -> None:
        self.client = Client(create_app(world.store, clock=lambda: world.now), world.add_token_text())
        self.path = f"/boards/{world.board_id}"
        self.pages: list[dict[str, Any]] = []
        self.copy: BoardCopy = make_copy(self._get)

    def _get(self, query: dict[str, Any]) -> tuple[int, Any]:
        response = self.client.get(f"{self.path}/changes?{urlencode(query)}")
        self.pages.append(response.json)
        return response.status, response.json

    def catch_up(self) -> list[dict[str, Any]]:
        """Catch up, compare the copy with the board, and return the pages that it took."""
        self.pages = []
        self.copy.catch_up()
        board = json.loads(json.dumps({**self.copy.things, "board": self.copy.board}))
        assert mask_clocks(board) == read_board(self.client, self.path)
        return self.pages

    def post(self, path: str, body: object = None) -> Any:
        """Create something on the board, or act on it."""
        response = self.client.post(f"{self.path}{path}", body)
        assert response.status in (200, 201), response.raw
        return response.json

    def delete(self, path: str) -> None:
        """Delete something on the board."""
        assert self.client.delete(f"{self.path}{path}", If_Match="*").status == 204


@pytest.fixture
def follower(world: World) -> Follower:
    """Return a follower who knows the board."""
    follower = Follower(world)
    follower.catch_up()
    return follower


def names_in(page: dict[str, Any]) -> dict[str, list[str]]:
    """Return the titles and names of what is on a page, as far as there is any."""
    kinds = ("lists", "labels", "members", "cards", "checklists", "comments")
    names = {kind: sorted(str(item.get("title") or item.get("name")) for item in page[kind]) for kind in kinds}
    return {kind: kind_names for kind, kind_names in names.items() if kind_names}


def test_only_what_was_touched_is_on_a_page(world: World, follower: Follower) -> None:
    world.add_card("Another")
    card = follower.post("/cards", {"title": "Card"})
    follower.catch_up()

    follower.post(f"/cards/{card['id']}/checklists", {"name": "Steps"})
    follower.post(f"/cards/{card['id']}/comments", {"text": "Hm."})
    (page,) = follower.catch_up()

    assert names_in(page) == {"cards": ["Card"], "checklists": ["Steps"], "comments": ["None"]}
    assert (page["reset"], page["has_more"], page["to_seq"] == page["seq"] == page["board"]["seq"]) == (
        False,
        False,
        True,
    )


def test_a_restored_card_comes_back_with_its_parts_and_a_deleted_one_takes_them_along(follower: Follower) -> None:
    card = follower.post("/cards", {"title": "Card"})
    for number in range(3):
        follower.post(f"/cards/{card['id']}/comments", {"text": f"{number}"})
    follower.catch_up()

    follower.delete(f"/cards/{card['id']}")
    (page,) = follower.catch_up()
    assert page["gone"]["cards"] == [card["id"]]
    assert not follower.copy.things["comments"]

    follower.post(f"/cards/{card['id']}/restore")
    follower.catch_up()
    assert len(follower.copy.things["comments"]) == 3


def test_a_list_that_comes_back_brings_its_cards_along(world: World, follower: Follower) -> None:
    card = follower.post("/cards", {"title": "Card"})
    follower.post(f"/cards/{card['id']}/comments", {"text": "Hm."})
    todo, doing = world.find_list("To do"), world.find_list("Doing")
    follower.delete(f"/lists/{todo.id}")
    (page,) = follower.catch_up()
    assert page["gone"]["lists"] == [todo.id]
    assert not follower.copy.things["cards"]

    follower.post(f"/lists/{todo.id}/restore")
    follower.post(f"/cards/{card['id']}/move", {"list_id": doing.id})
    follower.delete(f"/lists/{todo.id}")
    pages = follower.catch_up()

    assert pages[0]["reset"]
    assert len(follower.copy.things["comments"]) == 1


def test_an_empty_list_that_comes_back_is_no_reset(world: World, follower: Follower) -> None:
    done = world.find_list("Done")
    follower.delete(f"/lists/{done.id}")
    follower.post(f"/lists/{done.id}/restore")

    (page,) = follower.catch_up()

    assert (page["reset"], names_in(page)) == (False, {"lists": ["Done"]})


def test_whoever_leaves_and_comes_back_is_not_assigned_any_more(world: World, follower: Follower) -> None:
    bob = world.add_user("Bob", id="bob")
    follower.client.put(f"{follower.path}/members/{bob.id}", {"role": "editor"})
    card = follower.post("/cards", {"title": "Card", "assignee_ids": [bob.id]})
    checklist = follower.post(f"/cards/{card['id']}/checklists", {"name": "Steps"})
    follower.post(f"/cards/{card['id']}/checklists/{checklist['id']}/items", {"text": "Step", "assignee_id": bob.id})
    follower.catch_up()

    follower.delete(f"/members/{bob.id}")
    follower.client.put(f"{follower.path}/members/{bob.id}", {"role": "editor"})
    (page,) = follower.catch_up()

    assert (names_in(page), page["gone"]["members"]) == ({"members": ["Bob"]}, [bob.id])
    assert follower.copy.things["cards"][card["id"]]["assignee_ids"] == []


def test_a_deleted_label_is_on_no_card_any_more(follower: Follower) -> None:
    label = follower.post("/labels", {"name": "Bug", "color": "red"})
    follower.post("/cards", {"title": "Card", "label_ids": [label["id"]]})
    follower.catch_up()

    follower.delete(f"/labels/{label['id']}")
    (page,) = follower.catch_up()

    assert (names_in(page), page["gone"]["labels"]) == ({}, [label["id"]])


def test_a_rebalance_gives_cards_new_ranks_without_an_event_of_their_own(world: World, follower: Follower) -> None:
    long = "a0" + "0" * (ranks.MAX_RANK_LENGTH - 1)
    cards = world.add_cards_with_ranks("To do", ["Zz", long + "1", long + "2", "a1"])
    other = world.add_card("Other", "Doing")
    follower.catch_up()
    before = {card.id: follower.copy.things["cards"][card.id]["rank"] for card in cards}

    follower.post(f"/cards/{other.id}/move", {"list_id": cards[0].list_id, "after": cards[1].id})
    follower.catch_up()

    after = {card.id: follower.copy.things["cards"][card.id]["rank"] for card in cards}
    assert after != before
    assert sorted(after, key=lambda id_: after[id_]) == sorted(before, key=lambda id_: before[id_])


def test_a_list_of_many_cards_takes_several_pages_after_a_rebalance(world: World, follower: Follower) -> None:
    long = "a0" + "0" * (ranks.MAX_RANK_LENGTH - 1)
    world.add_cards_with_ranks("To do", [f"Zz{number:03d}V" for number in range(60)])
    todo = world.find_list("To do")
    cards = [*world.list_cards()]
    for card in cards[:2]:
        world.write(updates=(replace(world.read_card(card), rank=f"{long}{cards.index(card) + 1}"),))
    world.write(updates=(replace(world.find_list("To do"), last_rank=f"{long}2"),))
    other = world.add_card("Other", "Doing")
    follower.catch_up()

    follower.post(f"/cards/{other.id}/move", {"list_id": todo.id, "after": cards[0].id})
    follower.catch_up()


def test_a_purge_changes_nothing_that_a_follower_sees(world: World, follower: Follower) -> None:
    kept, card = follower.post("/cards", {"title": "Kept"}), follower.post("/cards", {"title": "Card"})
    follower.post(f"/cards/{card['id']}/comments", {"text": "Hm."})
    todo = world.find_list("To do")
    follower.catch_up()
    late = Follower(world)
    late.catch_up()

    follower.delete(f"/cards/{card['id']}")
    follower.post(f"/cards/{kept['id']}/move", {"list_id": world.find_list("Done").id})
    follower.delete(f"/lists/{todo.id}")
    follower.catch_up()
    world.advance(days=40)
    while world.store.purge(world.now - timedelta(days=31), 100):
        pass
    follower.catch_up()
    late.catch_up()

    assert [*late.copy.things["cards"]] == [kept["id"]]


def test_an_imported_board_is_read_whole_and_followed_from_then_on(follower: Follower) -> None:
    card = follower.post("/cards", {"title": "Card"})
    follower.post(f"/cards/{card['id']}/comments", {"text": "Hm."})
    export = follower.client.get(f"{follower.path}/export").json
    imported = follower.client.post("/imports/tackboard", export)
    assert imported.status == 201, imported.raw
    follower.path = f"/boards/{imported.json['board']['id']}"
    follower.copy = make_copy(follower._get)  # noqa: SLF001  (the same follower, of another board)

    (page,) = follower.catch_up()
    follower.post("/cards", {"title": "New"})
    (next_page,) = follower.catch_up()

    assert (page["reset"], len(page["comments"]), next_page["reset"]) == (True, 1, False)
    assert names_in(next_page) == {"cards": ["New"], "lists": ["To do"]}


def test_a_change_of_many_things_takes_several_pages_between_which_others_write(follower: Follower) -> None:
    first = follower.post("/cards", {"title": "First"})
    for number in range(39):
        follower.post("/cards", {"title": f"{number}"})
    list_id = first["list_id"]
    for number in range(30):
        follower.post(f"/cards/{first['id']}/comments", {"text": f"{number}" + "x" * 5_000})
    follower.catch_up()

    for _ in range(3):
        follower.post(f"/lists/{list_id}/copy", {"name": "Copy"})
    has_more = follower.copy.read_page()
    follower.post(f"/cards/{first['id']}/move", {"list_id": list_id, "position": "bottom"})

    assert has_more
    follower.catch_up()


def test_a_large_board_is_read_in_pages_of_a_megabyte(follower: Follower) -> None:
    for number in range(30):
        follower.post("/cards", {"title": f"{number}", "description": "ß" * 20_000})
    follower.copy = make_copy(follower._get)  # noqa: SLF001  (a new copy of the same follower)

    pages = follower.catch_up()

    assert [page["reset"] for page in pages] == [True, False]
    assert pages[0]["to_seq"] == 0
    assert all(len(json.dumps(page, ensure_ascii=False).encode()) < 1_100_000 for page in pages)


def test_an_event_that_recorded_nothing_is_followed_by_the_whole_board(world: World, follower: Follower) -> None:
    world.add_card("Card")
    export = follower.client.get(f"{follower.path}/export").json
    imported = follower.client.post("/imports/tackboard", export).json["board"]
    follower.path = f"/boards/{imported['id']}"
    follower.copy = make_copy(follower._get)  # noqa: SLF001  (the same follower, of another board)
    follower.catch_up()

    # What an import takes over from the file recorded nothing that can be read again.
    follower.copy.query = {"after": 1}
    pages = follower.catch_up()

    assert [page["reset"] for page in pages] == [True]


def test_a_seq_that_the_board_has_not_got_to_and_another_history_are_conflicts(follower: Follower) -> None:
    history = follower.copy.board["history"]
    other = history[:-1] + ("0" if history[-1] != "0" else "1")

    beyond = follower.client.get(f"{follower.path}/changes?after=99")
    of_other = follower.client.get(f"{follower.path}/changes?after=1&history={other}")
    same = follower.client.get(f"{follower.path}/changes?after=1&history={history}")

    assert [(answer.status, answer.json.get("code")) for answer in (beyond, of_other, same)] == [
        (409, "other_history"),
        (409, "other_history"),
        (200, None),
    ]


def test_the_tag_of_the_last_page_is_valid_until_something_changes(follower: Follower) -> None:
    follower.post("/cards", {"title": "Card"})
    seq = follower.copy.board["seq"]
    answer = follower.client.get(f"{follower.path}/changes?after={seq}")
    path = f"{follower.path}/changes?after={answer.json['to_seq']}"

    unchanged = follower.client.get(path, If_None_Match=answer.etag)
    follower.post("/cards", {"title": "New"})
    changed = follower.client.get(path, If_None_Match=answer.etag)

    assert (unchanged.status, changed.status) == (304, 200)


def test_a_member_of_another_board_learns_nothing(world: World, follower: Follower) -> None:
    bob = world.add_user("Bob")
    other = world.add_board("Other", bob)

    answer = follower.client.get(f"/boards/{other}/changes")
    none = follower.client.get(f"/boards/{other[:-1]}0/changes")

    assert (answer.status, answer.json["code"]) == (none.status, none.json["code"]) == (404, "board_not_found")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=9007199254740993", "limit=2", "cursor=x", "history=x"])
def test_bad_parameters_are_rejected(follower: Follower, query: str) -> None:
    assert follower.client.get(f"{follower.path}/changes?{query}").status == 400
