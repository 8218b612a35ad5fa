"""What is stored about a user, page by page, on every engine: a cursor goes on where the page before ended."""

import pytest

from kanban.values import Comment, Role, TimeEntry
from kanban.views import PageKey
from tests.stores.part_builders import make_comment, make_time_entry
from tests.stores.world import World
from usecases import personal_export


def export(world: World, user_id: str) -> tuple[list[str], list[str], list[str], int]:
    """Return the names of the boards, the texts, and the notes of a user's export; and how many pages it has."""
    boards: list[str] = []
    comments: list[Comment] = []
    entries: list[TimeEntry] = []
    after: PageKey | None = None
    count = 0
    while True:
        page, after = personal_export.read_page(world.store, user_id, after)
        count += 1
        boards += [board.name for board, _ in page.boards]
        comments += page.comments
        entries += page.time_entries
        if after is None:
            return boards, [comment.text for comment in comments], [entry.note for entry in entries], count


@pytest.mark.parametrize("max_reads", [1, 100])
def test_all_pages_together_have_each_thing_once(world: World, monkeypatch: pytest.MonkeyPatch, max_reads: int) -> None:
    monkeypatch.setattr(personal_export, "MAX_READS_PER_PAGE", max_reads)
    bob = world.add_user("Bob", id="bob")
    expected = []
    for name, comment_count in (("One", 3), ("Two", 130), ("Three", 0)):
        world.board_id = world.add_board(name)
        world.add_member(bob, Role.EDITOR)
        card = world.add_card("Card")
        numbers = range(comment_count)
        for start in range(0, comment_count, 40):
            texts = [f"{name} {number}" for number in numbers[start : start + 40]]
            own = [make_comment(world, card, text, author_id="bob") for text in texts]
            foreign = [make_comment(world, card, "Ann's") for _ in texts]
            world.write(creates=(*own, *foreign))
            expected += texts
        entry = make_time_entry(world, card, 0, 60, user_id="bob", note=name)
        world.write(creates=(entry, make_time_entry(world, card, 60, 90, note="Ann's")))

    boards, texts, notes, count = export(world, "bob")

    assert sorted(boards) == ["One", "Three", "Two"]
    assert sorted(texts) == sorted(expected)
    assert sorted(notes) == ["One", "Three", "Two"]
    assert count > (8 if max_reads == 1 else 1)
