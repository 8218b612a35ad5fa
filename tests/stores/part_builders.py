"""Build members, labels and parts of cards without the rules, with any fields that a test needs."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from kanban.values import (
    Card,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Label,
    Link,
    List,
    Member,
    TimeEntry,
)
from tests.stores.world import NOON, World


def list_empty_fields(value: Card | List | TimeEntry) -> set[str]:
    """Return the names of the fields that are empty, so that no test of every field misses a new one."""
    values = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name for name, content in values.items() if content in {None, "", ()} or content is False}


def find_member(world: World, user_id: str) -> Member:
    """Return the user's membership of the board."""
    return world.read_board().get_member(user_id)


def add_label(world: World, name: str = "Bug", color: Color = Color.RED, **fields: Any) -> Label:
    """Write a new label of the board, and return it."""
    new = Label(world.context().new_id("label"), world.board_id, name, color, 1, world.now, world.now)
    new = replace(new, **fields)
    world.write(creates=(new,))
    return new


def make_comment(world: World, card: Card, text: str, **fields: Any) -> Comment:
    """Return a comment of Ann's, not written yet."""
    comment_id = world.context().new_id("comment")
    new = Comment(comment_id, card.board_id, card.id, world.ann.id, text, 1, world.now, world.now)
    return replace(new, **fields)


def make_item(world: World, text: str, **fields: Any) -> ChecklistItem:
    """Return an item for a checklist."""
    item_id = world.context().new_id("checklist_item")
    new = ChecklistItem(item_id, text, False, None, None, 1, world.now, world.now)  # noqa: FBT003  (not done)
    return replace(new, **fields)


def make_checklist(world: World, card: Card, rank: str, *items: ChecklistItem) -> Checklist:
    """Return a checklist, not written yet."""
    checklist_id = world.context().new_id("checklist")
    return Checklist(checklist_id, card.board_id, card.id, "Steps", rank, items, 1, world.now, world.now)


def make_time_entry(world: World, card: Card, start: int, end: int | None, **fields: Any) -> TimeEntry:
    """Return a time entry of Ann's between two numbers of seconds after noon, not written yet."""
    ended_at = None if end is None else NOON + timedelta(seconds=end)
    entry_id = world.context().new_id("time_entry")
    new = TimeEntry(
        entry_id, card.board_id, card.id, world.ann.id, NOON + timedelta(seconds=start), ended_at, 1000, "", 1
    )
    return replace(new, **fields)


def add_full_card(world: World, list_name: str = "To do") -> Card:
    """Write a card with every field set and every kind of part, and return it."""
    card = world.add_card("Full", list_name, external_id="x-full")
    bug = add_label(world)
    full = replace(
        card,
        label_ids=(bug.id,),
        assignee_ids=(find_member(world, world.ann.id).id,),
        links=(
            Link("https://example.com/b?x=1&y=%20", "Second letter\twith  blanks"),
            Link("https://example.com/a", ""),
        ),
        start_at=NOON,
        due_at=NOON + timedelta(days=2),
        due_complete=True,
        hourly_rate_minor=0,
        comment_count=2,
        item_count=2,
        done_count=1,
        tracked_seconds=60,
        tracked_cost=60_000,
    )
    steps = make_checklist(world, card, "a0", make_item(world, "One", done=True), make_item(world, "Two"))
    comments = (make_comment(world, card, "First"), make_comment(world, card, "Second"))
    world.write(creates=(steps, *comments, make_time_entry(world, card, 0, 60)), updates=(full,))
    return full
