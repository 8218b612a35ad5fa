"""Touches: what a commit touched. Its event records it, so that a reader learns what to read again.

They are recorded as words, in a text: a letter for the kind, and an id. In place of an id, '.' is the event's own card,
and ':' its own list. A checklist or a comment follows the id of its card and a '/'; there, '^' is the card that was
named last.

    l<list>  b<label>  c<card>  k<card>/<checklist>  n<card>/<comment>
    m<user>    a member
    x<user>    a membership that ended: its user was assigned to cards, which keep the membership's id
    p<card>    the card with all its checklists and comments, which were not visible before
    r<list>    the ranks of all cards of a list
    w          the whole board

The board itself is touched by every commit. Cards of a list that is deleted, and what belongs to a card that is, have
no word: they go with it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from kanban.values import (
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Entity,
    Erasable,
    Event,
    Label,
    List,
    Member,
    TimeEntry,
)


class TouchKind:
    """What a touch is about. These are plain texts: an enum's hashes take most of the time of a commit's touches."""

    LIST = "l"
    LABEL = "b"
    CARD = "c"
    CHECKLIST = "k"
    COMMENT = "n"
    MEMBER = "m"
    FORMER_MEMBER = "x"
    CARD_WITH_PARTS = "p"
    RANKS_OF_LIST = "r"
    BOARD = "w"


class Touch(NamedTuple):
    """What was touched: its id (of a member, that of the user), and for a checklist or a comment the card's id."""

    kind: str
    id: str = ""
    card_id: str = ""


WHOLE_BOARD = (Touch(TouchKind.BOARD),)

_TOUCHES_OF_WRITTEN: Mapping[type[Entity], Callable[[Any], Touch]] = {
    Card: lambda card: Touch(TouchKind.CARD, card.id),
    List: lambda list_: Touch(TouchKind.LIST, list_.id),
    Label: lambda label: Touch(TouchKind.LABEL, label.id),
    Member: lambda member: Touch(TouchKind.MEMBER, member.user_id),
    Checklist: lambda checklist: Touch(TouchKind.CHECKLIST, checklist.id, checklist.card_id),
    Comment: lambda comment: Touch(TouchKind.COMMENT, comment.id, comment.card_id),
    # A card tells the sums of its time entries, and since when its clock runs.
    TimeEntry: lambda entry: Touch(TouchKind.CARD, entry.card_id),
}
_TOUCHES_OF_DELETED: Mapping[type[Entity], Callable[[Any], Touch]] = {
    **_TOUCHES_OF_WRITTEN,
    Member: lambda member: Touch(TouchKind.FORMER_MEMBER, member.user_id),
}


def list_touches(
    event_type: str,
    card_id: str | None,
    *,
    creates: Iterable[Entity] = (),
    updates: Iterable[Entity] = (),
    deletes: Iterable[Erasable] = (),
    card_ranks: Iterable[CardRank] = (),
    rebalance_list_id: str | None = None,
    is_arrival: bool = False,
) -> tuple[Touch, ...]:
    """Return what the change of an event of this type touches, each thing once.

    `card_id` is the event's own card. `is_arrival` says that it comes from another board.
    """
    written = (*creates, *updates)
    if any(isinstance(value, Board) for value in creates):
        return WHOLE_BOARD
    if event_type == "list.restored" and any(isinstance(value, List) and value.first_rank for value in written):
        # Its cards become visible again, with all that belongs to them.
        return WHOLE_BOARD
    touches: dict[Touch, None] = {}
    is_new_to_readers = is_arrival or event_type == "card.restored"
    if card_id is not None:
        touches[Touch(TouchKind.CARD_WITH_PARTS if is_new_to_readers else TouchKind.CARD, card_id)] = None
    for values, build_touches in ((written, _TOUCHES_OF_WRITTEN), (deletes, _TOUCHES_OF_DELETED)):
        for value in values:
            if build_touch := build_touches.get(type(value)):
                touches[build_touch(value)] = None
    touches |= {Touch(TouchKind.CARD, card_rank.card_id): None for card_rank in card_ranks}
    if rebalance_list_id is not None:
        touches[Touch(TouchKind.RANKS_OF_LIST, rebalance_list_id)] = None
    if card_id is not None and is_new_to_readers:
        touches.pop(Touch(TouchKind.CARD, card_id), None)
    return tuple(touches)


def format_touches(touches: Iterable[Touch], card_id: str | None, list_id: str | None) -> str:
    """Return the words that an event of this card and this list records."""
    own = {card_id: ".", list_id: ":"}
    last_card_id: str | None = None
    words = []
    for kind, id_, id_of_card in touches:
        if kind in (TouchKind.CHECKLIST, TouchKind.COMMENT):
            card = own.get(id_of_card) or ("^" if id_of_card == last_card_id else id_of_card)
            words.append(f"{kind}{card}/{id_}")
            last_card_id = id_of_card
        else:
            words.append(f"{kind}{own.get(id_, id_)}")
            last_card_id = id_ if kind == TouchKind.CARD else last_card_id
    return " ".join(words)


def parse_touches(event: Event) -> tuple[Touch, ...] | None:
    """Return what an event records; None for one that recorded nothing, before release 1.3 or in an import."""
    if event.touches is None:
        return None
    own = {".": event.card_id or "", ":": event.list_id or ""}
    last_card_id = ""
    touches = []
    for word in event.touches.split():
        kind = word[0]
        if kind in (TouchKind.CHECKLIST, TouchKind.COMMENT):
            card, _, id_ = word[1:].partition("/")
            last_card_id = last_card_id if card == "^" else own.get(card, card)
            touches.append(Touch(kind, id_, last_card_id))
        else:
            id_ = own.get(word[1:], word[1:])
            touches.append(Touch(kind, id_))
            last_card_id = id_ if kind == TouchKind.CARD else last_card_id
    return tuple(touches)
