"""Copies: of a card, of a list with its cards, of a board.

A copy is new work. It looks like its original, but nothing has been done about it yet: no item of a checklist is done,
nobody is assigned, no time was spent, and no clock runs except for a single card that is put among those in progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kanban import cards, ranks, sizes
from kanban.errors import TooManyLists, TooMuchToCopy
from kanban.lists import ranked_at
from kanban.places import End, rank_at_end, refuse_entry, with_card
from kanban.record import record
from kanban.values import (
    MOST_LISTS,
    Act,
    Board,
    BoardView,
    Card,
    Change,
    Checklist,
    Event,
    EventData,
    Label,
    List,
    Member,
    Role,
    Stage,
    Value,
)

MOST_COPIED = 40
"""Cards that are copied with their list."""

MOST_COPIED_PARTS = 80
"""Cards and checklists that are copied with their list."""

_ITEM = 50
"""Characters that an item of a checklist counts for beside its text: much is kept of the shortest one, too."""

_MOST_TEXT = f"{sizes.MOST_TEXT} characters of text, where each item of a checklist counts as {_ITEM} more"

Checklists = Mapping[str, Sequence[Checklist]]
"""By the card's id."""


def copy_card(
    view: BoardView,
    card_id: str,
    checklists: Sequence[Checklist],
    act: Act,
    *,
    title: str | None = None,
    list_id: str | None = None,
    position: End = "bottom",
) -> tuple[Card, Change]:
    """A card like that one, in its list or in another, with all its checklists, which are given.

    Raises TooMuchToCopy, UnknownReference, ListArchived, WipLimitReached, TooManyCards.
    """
    old = view.card(card_id)
    if _text([old], {old.id: checklists}) > sizes.MOST_TEXT:
        raise TooMuchToCopy("card", old.title, _MOST_TEXT)
    target = view.list_of(old) if list_id is None else cards.referred_list(view, list_id)
    refuse_entry(target)
    card, made = _copied(old, checklists, target, rank_at_end(target, position), act)
    if title is not None:
        card = replace(card, title=title)
    card, opened, _ = cards.brought_to(card, view.board, None, target.stage, act)
    change = record(
        view,
        act,
        "card.copied",
        creates=(card, *made, *opened),
        updates=(with_card(target, card.rank),),
        list_id=target.id,
        card_id=card.id,
        data={"from_card_id": old.id, "title": card.title, "stage": str(target.stage)},
    )
    return card, change


def refuse_long(there: List) -> None:
    """Raise TooMuchToCopy for a list with more cards than are copied with it."""
    if there.card_count > MOST_COPIED:
        raise _too_much(there)


def _too_much(there: List) -> TooMuchToCopy:
    most = f"{MOST_COPIED} cards, {MOST_COPIED_PARTS} cards and checklists together, and {_MOST_TEXT}"
    return TooMuchToCopy("list", there.name, most)


def _text(there: Sequence[Card], checklists: Checklists) -> int:
    """How many characters these cards and checklists count for."""
    of_cards = sum(sizes.text_length(card) for card in there)
    items = (item for each in checklists.values() for checklist in each for item in checklist.items)
    return of_cards + sum(len(item.text) + _ITEM for item in items)


def copy_list(
    view: BoardView, list_id: str, there: Sequence[Card], checklists: Checklists, act: Act, *, name: str | None = None
) -> tuple[List, Change]:
    """A list like that one, just after it, with copies of its cards, which are given with their checklists.

    Raises TooManyLists, TooMuchToCopy.
    """
    old = view.list(list_id)
    refuse_long(old)
    parts = len(there) + sum(map(len, checklists.values()))
    if parts > MOST_COPIED_PARTS or _text(there, checklists) > sizes.MOST_TEXT:
        raise _too_much(old)
    if len(view.lists) >= MOST_LISTS:
        raise TooManyLists(MOST_LISTS)
    empty = _empty(old, view.board.id, act)
    empty, displaced = ranked_at(empty, view.lists, view.lists.index(old) + 1)
    if name is not None:
        empty = replace(empty, name=name)
    new, made = _filled(empty, there, checklists, act)
    copied = [each.id for each in made if isinstance(each, Card)]
    data: EventData = {"from_list_id": old.id, "name": new.name, "stage": str(new.stage)}
    data = {**data, "card_count": new.card_count, "card_ids": copied}
    change = record(view, act, "list.copied", creates=(new, *made), updates=tuple(displaced), list_id=new.id, data=data)
    return new, change


def copy_board(
    view: BoardView, there: Sequence[Card], checklists: Checklists, act: Act, *, name: str | None = None
) -> tuple[BoardView, Change]:
    """A board like that one, seen by who copies it and owns the copy, with copies of the cards that are given.

    These are cards in use, in the order of their places. What is archived stays behind.
    """
    old = view.board
    board = replace(
        old,
        id=act.new_id("board"),
        name=old.name if name is None else name,
        external_id=None,
        created_by=act.by,
        seq=1,
        version=1,
        created_at=act.at,
        updated_at=act.at,
        archived_at=None,
    )
    owner = _owner(board, act)
    labels = {each.id: _label(each, board, act) for each in view.labels}
    lists: list[List] = []
    made: list[Value] = []
    for each in view.lists:
        if each.archived_at is None:
            cards_of = [card for card in there if card.list_id == each.id]
            new, inside = _filled(_empty(each, board.id, act), cards_of, checklists, act, labels)
            lists.append(new)
            made += inside
    history = tuple(_told(card, lists, act, seq) for seq, card in enumerate(_cards(made), 1))
    board = replace(board, seq=len(history) + 1)
    data = {"from_board_id": old.id, "name": board.name}
    event = Event(board.id, board.seq, "board.copied", act.at, act.by, data=data)
    creates = (board, owner, *labels.values(), *lists, *made)
    seen = BoardView(board, Role.OWNER, tuple(lists), members=(owner,), labels=tuple(labels.values()))
    return seen, Change(creates=creates, event=event, history=history)


def _owner(board: Board, act: Act) -> Member:
    return Member(act.new_id("member"), board.id, act.by, Role.OWNER, 1, act.at, act.at)


def _label(old: Label, board: Board, act: Act) -> Label:
    return replace(old, id=act.new_id("label"), board_id=board.id, version=1, created_at=act.at, updated_at=act.at)


def _empty(old: List, board_id: str, act: Act) -> List:
    """A list like that one, without cards, at the same rank."""
    return replace(
        old,
        id=act.new_id("list"),
        board_id=board_id,
        external_id=None,
        card_count=0,
        first_rank="",
        last_rank="",
        version=1,
        created_at=act.at,
        updated_at=act.at,
        archived_at=None,
    )


def _filled(
    empty: List, there: Sequence[Card], checklists: Checklists, act: Act, labels: Mapping[str, Label] | None = None
) -> tuple[List, list[Value]]:
    """The list with copies of these cards, and what was made for it. On another board, `labels` are its own."""
    made: list[Value] = []
    for old, rank in zip(there, ranks.following("", len(there)), strict=True):
        card, parts = _copied(old, checklists.get(old.id, ()), empty, rank, act)
        if labels is not None:
            card = replace(card, label_ids=tuple(sorted(labels[each].id for each in old.label_ids if each in labels)))
        began = act.at if empty.stage == Stage.IN_PROGRESS else None
        done = act.at if empty.stage == Stage.DONE else None
        made += [replace(card, started_at=began, resolved_at=done), *parts]
        empty = with_card(empty, rank)
    return empty, made


def _copied(
    old: Card, checklists: Sequence[Checklist], target: List, rank: str, act: Act
) -> tuple[Card, list[Checklist]]:
    """A card like that one, which nobody has begun, and its checklists."""
    card = replace(
        old,
        id=act.new_id("card"),
        board_id=target.board_id,
        list_id=target.id,
        external_id=None,
        rank=rank,
        due_complete=False,
        assignee_ids=(),
        comment_count=0,
        item_count=sum(len(each.items) for each in checklists),
        done_count=0,
        started_at=None,
        resolved_at=None,
        tracked_seconds=0,
        tracked_cost=0,
        running=None,
        version=1,
        created_at=act.at,
        updated_at=act.at,
        archived_at=None,
    )
    return card, [_checklist(each, card, act) for each in checklists]


def _checklist(old: Checklist, card: Card, act: Act) -> Checklist:
    items = tuple(
        replace(
            each,
            id=act.new_id("checklist_item"),
            done=False,
            assignee_id=None,
            version=1,
            created_at=act.at,
            updated_at=act.at,
        )
        for each in old.items
    )
    return replace(
        old,
        id=act.new_id("checklist"),
        board_id=card.board_id,
        card_id=card.id,
        items=items,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )


def _cards(made: Sequence[Value]) -> list[Card]:
    return [each for each in made if isinstance(each, Card)]


def _told(card: Card, lists: Sequence[List], act: Act, seq: int) -> Event:
    stage = next(each.stage for each in lists if each.id == card.list_id)
    data = {"title": card.title, "stage": str(stage)}
    return Event(card.board_id, seq, "card.created", act.at, act.by, card.list_id, card.id, data)
