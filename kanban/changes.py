"""Changes: what a rule decides to write, with the event that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from kanban import field_changes
from kanban.field_changes import Subject
from kanban.touches import format_touches, list_touches
from kanban.values import Board, CardRank, Entity, Erasable, Event, EventData, FieldChange, ReaderChange
from kanban.views import BoardView


@dataclass(frozen=True, slots=True)
class ActionContext:
    """Who acts (a user's id), when, and a function that returns new ids by kind ('card', 'list', …).

    `token_id` and `request_id` say by which token and which request; on the command line there are none.
    """

    actor_id: str
    at: datetime
    new_id: Callable[[str], str]
    token_id: str | None = None
    request_id: str | None = None


class BoardStep(NamedTuple):
    """What is to be done on a board after a change was committed: `decide` reads it, and returns a change of it.

    It is called again after each of its changes, until it returns None: then the step is done.
    """

    board_id: str
    decide: Callable[[], "Change | None"]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written, all of it or nothing.

    A write to a board carries one event, and in `updates` (in `creates`, for a new board) the board with the event's
    seq. `deletes` are erased at once. `card_ranks` give cards another rank in their list and change nothing else of
    them. `rebalance_list_id` names a list whose cards' ranks have become long: see `kanban.store`. `restores_board`
    says that the board is deleted and comes back.

    A change that creates a board may have any size, and may hold older events than its own as `history`.

    `departure` is for a card that comes from another board: the change of that board, with its event. The card itself
    is in this change's `updates` with its new board; its parts move with it without being listed, and get the new
    `board_id`. `membership_ids` maps memberships of that board to those of the same people on this one: a checklist
    item keeps its assignee if the membership is in the mapping, and loses it otherwise.

    `readers` are what happens to readers of the board's feed.

    `is_by_installation` says that an owner of the installation does it, who need not be a member of the board, or the
    server itself in the name of an owner of the board, who may be deactivated.

    `active_user_id` is the user who must not be deactivated when the change is written, where no membership says so:
    if nothing of a board is written, or if one is created, restored or joined.

    `steps` are decided and committed one by one after the change. A store never sees them.
    """

    creates: tuple[Entity, ...] = ()
    updates: tuple[Entity, ...] = ()
    event: Event | None = None
    rebalance_list_id: str | None = None
    deletes: tuple[Erasable, ...] = ()
    card_ranks: tuple[CardRank, ...] = ()
    restores_board: bool = False
    history: tuple[Event, ...] = ()
    departure: "Change | None" = None
    membership_ids: Mapping[str, str] = field(default_factory=dict)
    readers: tuple[ReaderChange, ...] = ()
    is_by_installation: bool = False
    active_user_id: str | None = None
    steps: tuple[BoardStep, ...] = ()

    def list_board_seqs(self) -> list[tuple[str, int]]:
        """Return the boards whose seq this change raises, each with the seq of its event."""
        events = (self.event, self.departure and self.departure.event)
        return [(event.board_id, event.seq) for event in events if event]

    def merge(self, other: "Change") -> "Change":
        """Return both changes as one. Raises ValueError if each has an event, because a commit writes one."""
        if self.event and other.event:
            message = "A change carries one event."
            raise ValueError(message)
        return Change(
            self.creates + other.creates,
            self.updates + other.updates,
            self.event or other.event,
            self.rebalance_list_id or other.rebalance_list_id,
            self.deletes + other.deletes,
            self.card_ranks + other.card_ranks,
            self.restores_board or other.restores_board,
            self.history + other.history,
            self.departure or other.departure,
            {**self.membership_ids, **other.membership_ids},
            self.readers + other.readers,
            self.is_by_installation or other.is_by_installation,
            self.active_user_id or other.active_user_id,
            self.steps + other.steps,
        )


def build_change(
    view: BoardView,
    context: ActionContext,
    event_type: str,
    *,
    board: Board | None = None,
    creates: tuple[Entity, ...] = (),
    updates: tuple[Entity, ...] = (),
    subject: tuple[Subject, Subject] | None = None,
    list_id: str | None = None,
    card_id: str | None = None,
    data: EventData | None = None,
    rebalance_list_id: str | None = None,
    deletes: tuple[Erasable, ...] = (),
    card_ranks: tuple[CardRank, ...] = (),
    restores_board: bool = False,
    readers: tuple[ReaderChange, ...] = (),
) -> Change:
    """Return the change that writes these values with one event, and raises the board's seq by one.

    `board` is given if the board itself is edited. `subject` is what else the event is about, before and after, if it
    was there before.
    """
    seq = view.board.seq + 1
    if board is not None:
        subject = (view.board, board)
    changes = tuple(field_changes.compare(view, *subject)) if subject else ()
    updates = (replace(board or view.board, seq=seq), *updates)
    touches = list_touches(
        event_type,
        card_id,
        creates=creates,
        updates=updates,
        deletes=deletes,
        card_ranks=card_ranks,
        rebalance_list_id=rebalance_list_id,
    )
    event = build_event(
        context,
        view.board.id,
        seq,
        event_type,
        list_id=list_id,
        card_id=card_id,
        data=data or {},
        changes=changes,
        touches=format_touches(touches, card_id, list_id),
    )
    return Change(creates, updates, event, rebalance_list_id, deletes, card_ranks, restores_board, readers=readers)


def record_touches(change: Change) -> Change:
    """Return the change with what it touches in its event, and in that of a departure. Every commit records it so."""
    event = change.event
    if event is None:
        return change
    touches = list_touches(
        event.type,
        event.card_id,
        creates=change.creates,
        updates=change.updates,
        deletes=change.deletes,
        card_ranks=change.card_ranks,
        rebalance_list_id=change.rebalance_list_id,
        is_arrival=change.departure is not None,
    )
    text = format_touches(touches, event.card_id, event.list_id)
    departure = change.departure and record_touches(change.departure)
    if text == event.touches and departure is change.departure:
        return change
    return replace(change, event=replace(event, touches=text), departure=departure)


def build_event(
    context: ActionContext,
    board_id: str,
    seq: int,
    event_type: str,
    *,
    list_id: str | None = None,
    card_id: str | None = None,
    data: EventData,
    changes: tuple[FieldChange, ...] = (),
    touches: str | None = None,
) -> Event:
    """Return the event of an action, with as many of the changes' values as it may hold beside what it touches."""
    other_texts = [context.actor_id, context.request_id or ""]
    if touches:
        other_texts += [field_changes.TOUCHES, touches]
    return Event(
        board_id,
        seq,
        event_type,
        context.at,
        context.actor_id,
        list_id,
        card_id,
        data,
        field_changes.limit_bytes(changes, other_texts, data),
        context.token_id,
        context.request_id,
        touches,
    )
