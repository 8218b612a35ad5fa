"""How many bytes the texts of a board take: the same on every engine, and those of live cards only."""

from dataclasses import replace

from kanban import archive
from kanban.values import Card, Link
from tests.stores.part_builders import make_checklist, make_comment, make_item, make_time_entry
from tests.stores.world import World

BYTES = sum(map(len, (b"Gr\xc3\xb6\xc3\x9fe", b"\xe6\x97\xa5\xe6\x9c\xac", b"https://example.com/", b"\xc3\x9c")))
BYTES += sum(map(len, (b"Steps", b"Ask", b"\xc3\x89crire", b"Yes \xf0\x9f\x8e\x89", b"\xc3\x9cber")))
"""How many the texts of a card of `add_texts` take."""


def count(world: World) -> int:
    return world.store.sum_text_bytes(world.board_id)


def add_texts(world: World, list_name: str = "To do") -> Card:
    """Add a card with every kind of text, outside of ASCII where that is possible."""
    card = world.add_card("Größe", list_name, description="日本", links=(Link("https://example.com/", "Ü"),))
    checklist = make_checklist(world, card, "a0", make_item(world, "Ask"), make_item(world, "Écrire"))
    comment = make_comment(world, card, "Yes 🎉")
    entry = make_time_entry(world, card, 0, 5, note="Über")
    world.write(creates=(checklist, comment, entry))
    return card


def test_an_empty_board_takes_nothing(world: World) -> None:
    assert count(world) == 0


def test_all_texts_of_cards_are_counted_in_utf_8(world: World) -> None:
    add_texts(world)

    assert count(world) == BYTES


def test_the_note_of_a_running_clock_is_counted_once(world: World) -> None:
    card = world.add_card("Card", "Doing")
    running = world.read_card(card).running
    assert running is not None
    before = count(world)

    world.write(updates=(replace(running, note="Über", version=running.version + 1),))

    assert count(world) == before + 5


def test_what_is_archived_counts_and_what_is_deleted_does_not(world: World) -> None:
    add_texts(world, "Doing")
    deleted, archived = add_texts(world), add_texts(world)

    change = archive.archive_card(world.read_board(archived.id), archived.id, world.context())[1]
    assert change is not None
    world.store.commit(change)
    assert count(world) == 3 * BYTES
    world.delete_card(deleted)
    assert count(world) == 2 * BYTES
    world.delete_list("Doing")
    assert count(world) == BYTES


def test_other_boards_are_not_counted(world: World) -> None:
    add_texts(world)

    assert world.store.sum_text_bytes(world.add_board("Other")) == 0
