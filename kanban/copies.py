"""Copies: of a card, of a list with its cards, of a board.

A copy is new work. It looks like its original, but nothing has been done yet: no checklist item is done, nobody is
assigned, no time was tracked, and no clock runs, except for a single card that is copied to a list in progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kanban import card_size, cards
from kanban.changes import ActionContext, Change, build_change, build_event
from kanban.errors import Conflict, LimitReached, quote_name
from kanban.limits import MAX_LISTS_PER_BOARD
from kanban.members import build_member
from kanban.ordering import positions, ranks
from kanban.ordering.list_capacity import ensure_card_can_enter, get_rank_at_end, with_card
from kanban.values import Board, Card, Checklist, End, Entity, Event, EventData, Label, List, Role, Stage
from kanban.views import BoardView

MAX_COPIED_CARDS = 40
"""Cards that are copied with their list."""

MAX_COPIED_PARTS = 80
"""Cards and checklists that are copied with their list."""

_ITEM_OVERHEAD = 50
"""Characters that a checklist item counts in addition to its text, because even a short one takes much space."""

_TEXT_LIMIT = (
    f"{card_size.MAX_COMMIT_CHARACTERS} characters of text, where each item of a checklist counts "
    f"as {_ITEM_OVERHEAD} more"
)

ChecklistsByCardId = Mapping[str, Sequence[Checklist]]
"""The checklists of cards by the card's id."""


class TooMuchToCopy(Conflict):
    """Raised when a card or list holds more than one request can copy."""

    code = "too_much_to_copy"

    def __init__(self, kind: str, name: str, maximum: str) -> None:
        """Take the kind ('card' or 'list'), its name, and what is allowed, in words."""
        super().__init__(
            f"{kind.capitalize()} {quote_name(name)} holds too much: one request copies at most {maximum}."
        )


def copy_card(
    view: BoardView,
    card_id: str,
    checklists: Sequence[Checklist],
    context: ActionContext,
    *,
    title: str | None = None,
    list_id: str | None = None,
    position: End = "bottom",
) -> tuple[Card, Change]:
    """Copy a card with all its `checklists`, to its own list or to another one.

    Raises TooMuchToCopy, UnknownReference, ListArchived, WipLimitReached, LimitReached.
    """
    original = view.get_card(card_id)
    if _count_characters([original], {original.id: checklists}) > card_size.MAX_COMMIT_CHARACTERS:
        raise TooMuchToCopy("card", original.title, _TEXT_LIMIT)
    target = view.get_list_of(original) if list_id is None else cards.resolve_list(view, list_id)
    ensure_card_can_enter(target)
    card, checklist_copies = _build_card_copy(original, checklists, target, get_rank_at_end(target, position), context)
    if title is not None:
        card = replace(card, title=title)
    card, opened, _ = cards.enter_stage(card, view.board, None, target.stage, context)
    change = build_change(
        view,
        context,
        "card.copied",
        creates=(card, *checklist_copies, *opened),
        updates=(with_card(target, card.rank),),
        list_id=target.id,
        card_id=card.id,
        data={"from_card_id": original.id, "title": card.title, "stage": str(target.stage)},
    )
    return card, change


def ensure_list_can_be_copied(original: List) -> None:
    """Raise TooMuchToCopy if the list has more cards than can be copied with it."""
    if original.card_count > MAX_COPIED_CARDS:
        raise _build_copy_error(original)


def _build_copy_error(original: List) -> TooMuchToCopy:
    maximum = f"{MAX_COPIED_CARDS} cards, {MAX_COPIED_PARTS} cards and checklists together, and {_TEXT_LIMIT}"
    return TooMuchToCopy("list", original.name, maximum)


def _count_characters(originals: Sequence[Card], checklists: ChecklistsByCardId) -> int:
    """Return how many characters the cards and checklists count for."""
    card_characters = sum(card_size.count_characters(card) for card in originals)
    items = (
        item for card_checklists in checklists.values() for checklist in card_checklists for item in checklist.items
    )
    return card_characters + sum(len(item.text) + _ITEM_OVERHEAD for item in items)


def copy_list(
    view: BoardView,
    list_id: str,
    originals: Sequence[Card],
    checklists: ChecklistsByCardId,
    context: ActionContext,
    *,
    name: str | None = None,
) -> tuple[List, Change]:
    """Copy a list with its cards, just after the original. `originals` are its cards, given with their checklists.

    Raises LimitReached, TooMuchToCopy.
    """
    original = view.get_list(list_id)
    ensure_list_can_be_copied(original)
    part_count = len(originals) + sum(map(len, checklists.values()))
    if part_count > MAX_COPIED_PARTS or _count_characters(originals, checklists) > card_size.MAX_COMMIT_CHARACTERS:
        raise _build_copy_error(original)
    if len(view.lists) >= MAX_LISTS_PER_BOARD:
        raise LimitReached("lists", MAX_LISTS_PER_BOARD)
    empty_copy = _copy_empty_list(original, view.board.id, context)
    empty_copy, displaced = positions.assign_rank(empty_copy, view.lists, view.lists.index(original) + 1)
    if name is not None:
        empty_copy = replace(empty_copy, name=name)
    copy, values = _fill_list(empty_copy, originals, checklists, context)
    card_ids = [value.id for value in values if isinstance(value, Card)]
    data: EventData = {"from_list_id": original.id, "name": copy.name, "stage": str(copy.stage)}
    data = {**data, "card_count": copy.card_count, "card_ids": card_ids}
    change = build_change(
        view, context, "list.copied", creates=(copy, *values), updates=tuple(displaced), list_id=copy.id, data=data
    )
    return copy, change


def copy_board(
    view: BoardView,
    originals: Sequence[Card],
    checklists: ChecklistsByCardId,
    context: ActionContext,
    *,
    name: str | None = None,
) -> tuple[BoardView, Change]:
    """Copy a board for the actor, who owns the copy; return its view and the change.

    `originals` are the active cards in the order of their positions. Archived cards and lists are not copied.
    """
    original = view.board
    board = replace(
        original,
        id=context.new_id("board"),
        name=original.name if name is None else name,
        external_id=None,
        created_by=context.actor_id,
        seq=1,
        version=1,
        created_at=context.at,
        updated_at=context.at,
        archived_at=None,
    )
    owner = build_member(board.id, context.actor_id, Role.OWNER, context)
    labels = {label.id: _copy_label(label, board, context) for label in view.labels}
    lists: list[List] = []
    values: list[Entity] = []
    for list_ in view.lists:
        if list_.archived_at is None:
            list_cards = [card for card in originals if card.list_id == list_.id]
            list_copy, list_values = _fill_list(
                _copy_empty_list(list_, board.id, context), list_cards, checklists, context, labels
            )
            lists.append(list_copy)
            values += list_values
    history = tuple(
        _build_created_event(card, lists, context, seq) for seq, card in enumerate(_select_cards(values), 1)
    )
    board = replace(board, seq=len(history) + 1)
    data = {"from_board_id": original.id, "name": board.name}
    event = build_event(context, board.id, board.seq, "board.copied", data=data)
    creates = (board, owner, *labels.values(), *lists, *values)
    copy_view = BoardView(board, Role.OWNER, tuple(lists), members=(owner,), labels=tuple(labels.values()))
    return copy_view, Change(creates=creates, event=event, history=history)


def _copy_label(original: Label, board: Board, context: ActionContext) -> Label:
    return replace(
        original, id=context.new_id("label"), board_id=board.id, version=1, created_at=context.at, updated_at=context.at
    )


def _copy_empty_list(original: List, board_id: str, context: ActionContext) -> List:
    """Return a copy of the list without cards, at the same rank."""
    return replace(
        original,
        id=context.new_id("list"),
        board_id=board_id,
        external_id=None,
        card_count=0,
        first_rank="",
        last_rank="",
        version=1,
        created_at=context.at,
        updated_at=context.at,
        archived_at=None,
    )


def _fill_list(
    target: List,
    originals: Sequence[Card],
    checklists: ChecklistsByCardId,
    context: ActionContext,
    labels: Mapping[str, Label] | None = None,
) -> tuple[List, list[Entity]]:
    """Return the list with copies of the cards, and everything created for it.

    `labels` are the copies of the labels on another board, by the id of their originals.
    """
    values: list[Entity] = []
    for original, rank in zip(originals, ranks.sequence_after("", len(originals)), strict=True):
        card, parts = _build_card_copy(original, checklists.get(original.id, ()), target, rank, context)
        if labels is not None:
            card = replace(
                card,
                label_ids=tuple(sorted(labels[label_id].id for label_id in original.label_ids if label_id in labels)),
            )
        started_at = context.at if target.stage == Stage.IN_PROGRESS else None
        resolved_at = context.at if target.stage == Stage.DONE else None
        values += [replace(card, started_at=started_at, resolved_at=resolved_at), *parts]
        target = with_card(target, rank)
    return target, values


def _build_card_copy(
    original: Card, checklists: Sequence[Checklist], target: List, rank: str, context: ActionContext
) -> tuple[Card, list[Checklist]]:
    """Return a copy of the card that nobody has started, and copies of its checklists."""
    card = replace(
        original,
        id=context.new_id("card"),
        board_id=target.board_id,
        list_id=target.id,
        external_id=None,
        rank=rank,
        due_complete=False,
        assignee_ids=(),
        comment_count=0,
        item_count=sum(len(checklist.items) for checklist in checklists),
        done_count=0,
        started_at=None,
        resolved_at=None,
        tracked_seconds=0,
        tracked_cost=0,
        running=None,
        version=1,
        created_at=context.at,
        updated_at=context.at,
        archived_at=None,
    )
    return card, [_copy_checklist(checklist, card, context) for checklist in checklists]


def _copy_checklist(original: Checklist, card: Card, context: ActionContext) -> Checklist:
    items = tuple(
        replace(
            item,
            id=context.new_id("checklist_item"),
            done=False,
            assignee_id=None,
            version=1,
            created_at=context.at,
            updated_at=context.at,
        )
        for item in original.items
    )
    return replace(
        original,
        id=context.new_id("checklist"),
        board_id=card.board_id,
        card_id=card.id,
        items=items,
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )


def _select_cards(values: Sequence[Entity]) -> list[Card]:
    return [value for value in values if isinstance(value, Card)]


def _build_created_event(card: Card, lists: Sequence[List], context: ActionContext, seq: int) -> Event:
    stage = next(list_.stage for list_ in lists if list_.id == card.list_id)
    data = {"title": card.title, "stage": str(stage)}
    return build_event(context, card.board_id, seq, "card.created", list_id=card.list_id, card_id=card.id, data=data)
