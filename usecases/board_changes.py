"""Changes of a board since a seq: what its events touched, as it is now.

An answer is one moment of the board, later than all of the events that it covers. Whatever changes after that moment
has an event of its own, which the next answer covers. So a reader that has got to the board's seq has it as it is.

Most answers are two reads: the events, and what they touched, by its keys. Some touches name things by what they belong
to, and are read page after page. A whole board is read so, too: for a reader who begins, or is so far behind that it
costs less, or whose next event recorded nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from kanban.boards import ensure_history
from kanban.store import PAGE_BYTES, CardQuery, CardSort, CardState, EventQuery, PartKey
from kanban.text_size import count_text_bytes
from kanban.touches import WHOLE_BOARD, Touch, TouchKind, parse_touches
from kanban.values import Card, Checklist, Comment, Event, Label, List, Member
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess

Thing = TypeVar("Thing")

MAX_RESOURCES = 200
"""Cards, checklists and comments of one answer at most."""

MAX_KEYED_RESOURCES = 90
"""Cards, checklists and comments that one answer reads by their keys: so many fit into one transaction of DynamoDB."""

MAX_EVENTS = 200
"""Events that one answer covers at most."""

MAX_EVENTS_BEHIND = 1_000
"""A reader that is further behind reads the whole board, if the board has fewer cards than events to catch up with."""

_KINDS_BY_KEY = frozenset({TouchKind.CARD, TouchKind.CHECKLIST, TouchKind.COMMENT})
_KINDS_BY_PAGES = frozenset({TouchKind.CARD_WITH_PARTS, TouchKind.RANKS_OF_LIST})

_ALL_OF_BOARD = ("active", "archived", "parts")
_ALL_OF_LIST = ("active", "archived")
_ALL_OF_CARD = ("parts",)

GoneIds = Mapping[str, list[str]]
"""The ids of what is no longer visible, by kind: `lists`, `labels`, `members`, `cards`, `checklists`, `comments`."""


@dataclass(slots=True)
class BoardChanges:
    """What changed on a board, as it is at one moment.

    Attributes:
        view: The board at that moment.
        to_seq: The answer covers all events up to this one.
        page_key: Where the next answer continues within the next event, or within the whole board; None if it
            continues after `to_seq`.
        is_reset: Whether what the reader had before is void.
        gone: What is no longer visible. Members among these have left, even if they have come back since.
    """

    view: BoardView
    to_seq: int
    page_key: PageKey | None = None
    is_reset: bool = False
    lists: list[List] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    checklists: list[Checklist] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    gone: dict[str, list[str]] = field(
        default_factory=lambda: {name: [] for name in ("lists", "labels", "members", "cards", "checklists", "comments")}
    )

    @property
    def has_more(self) -> bool:
        """Whether the reader has not got to the board's seq."""
        return self.page_key is not None or self.to_seq < self.view.board.seq

    def count(self) -> int:
        """Return how many cards, checklists and comments there are."""
        return len(self.cards) + len(self.checklists) + len(self.comments)

    def add(self, value: Card | Checklist | Comment) -> None:
        """Add something that is visible."""
        if isinstance(value, Card):
            self.cards.append(value)
        elif isinstance(value, Checklist):
            self.checklists.append(value)
        else:
            self.comments.append(value)


@dataclass(frozen=True, slots=True)
class _Step:
    """A touch, and where it is: the `index` of the touches of the event after `after`."""

    after: int
    index: int
    touch: Touch


def read_changes(
    access: BoardAccess, board_id: str, after: int, history: str | None, page_key: PageKey | None
) -> BoardChanges:
    """Return what changed after that seq, beginning at the page key if there is one. Raises OtherHistory."""
    if page_key and page_key[0] == "board":
        _, begun_in, base, phase, *key = page_key
        changes = _read_pages(access, board_id, _ALL_OF_BOARD, str(phase), tuple(key))
        _ensure_same_history(changes.view, history, int(base))
        _ensure_same_history(changes.view, str(begun_in), int(base))
        return _continue_board(changes, int(base))
    view, page = access.page_events(board_id, EventQuery(after=after), MAX_EVENTS)
    _ensure_same_history(view, history, after)
    _, index, *key = page_key or ("event", 0)
    steps, to_seq, to_index = _list_steps(page.items, after, int(index))
    if after == 0 or _is_far_behind(view, after) or (steps and steps[0].touch.kind == TouchKind.BOARD):
        return _begin_board(access, board_id, history)
    if steps and steps[0].touch.kind in _KINDS_BY_PAGES:
        return _read_touch_by_pages(access, board_id, steps, (to_seq, to_index), tuple(key))
    return _read_by_keys(access, view, steps, (to_seq, to_index))


def _ensure_same_history(view: BoardView, history: str | None, after: int) -> None:
    ensure_history(view.board, history or view.board.get_history(), after)


def _is_far_behind(view: BoardView, after: int) -> bool:
    card_count = sum(list_.card_count for list_ in view.lists)
    return view.board.seq - after > max(MAX_EVENTS_BEHIND, card_count)


# By keys


def _list_steps(events: Sequence[Event], after: int, index: int) -> tuple[list[_Step], int, int]:
    """Return the touches of the events from that index on, and the position after them.

    The first one alone, if it is not read by its key; otherwise as many as can be read at once.
    """
    steps: list[_Step] = []
    item_keys: set[str] = set()
    for event in events:
        for number, touch in islice(enumerate(_expand_touches(event)), index, None):
            is_by_key = touch.kind not in _KINDS_BY_PAGES and touch.kind != TouchKind.BOARD
            if steps and not is_by_key:
                return steps, event.seq - 1, number
            if touch.kind in _KINDS_BY_KEY:
                item_keys |= {touch.id, touch.card_id or touch.id}
                if len(item_keys) > MAX_KEYED_RESOURCES:
                    return steps, event.seq - 1, number
            steps.append(_Step(event.seq - 1, number, touch))
            if not is_by_key:
                return _end_at_next(steps, event, number)
        after, index = event.seq, 0
    return steps, after, 0


def _end_at_next(steps: list[_Step], event: Event, number: int) -> tuple[list[_Step], int, int]:
    is_last = number + 1 == len(_expand_touches(event))
    return (steps, event.seq, 0) if is_last else (steps, event.seq - 1, number + 1)


def _expand_touches(event: Event) -> Sequence[Touch]:
    """Return the touches of an event. A card with its parts is two: the card, and its parts."""
    touches = parse_touches(event)
    if touches is None:
        return WHOLE_BOARD
    return [
        expanded
        for touch in touches
        for expanded in (
            (Touch(TouchKind.CARD, touch.id), touch) if touch.kind == TouchKind.CARD_WITH_PARTS else (touch,)
        )
    ]


def _read_by_keys(access: BoardAccess, view: BoardView, steps: Sequence[_Step], end: tuple[int, int]) -> BoardChanges:
    """Return what was touched, as far as it fits into an answer."""
    touches = [step.touch for step in steps]
    card_ids = dict.fromkeys(touch.card_id or touch.id for touch in touches if touch.kind in _KINDS_BY_KEY)
    parts = dict.fromkeys(
        PartKey(Checklist if touch.kind == TouchKind.CHECKLIST else Comment, touch.card_id, touch.id)
        for touch in touches
        if touch.kind in (TouchKind.CHECKLIST, TouchKind.COMMENT)
    )
    if touches:
        view = access.read_board(view.board.id, card_ids=[*card_ids], parts=[*parts])
    changes = BoardChanges(view, *_cut(view, steps, end))
    position = (changes.to_seq, int(changes.page_key[1]) if changes.page_key else 0)
    for touch in dict.fromkeys(step.touch for step in steps if (step.after, step.index) < position):
        _add_touched(changes, touch)
    return changes


def _cut(view: BoardView, steps: Sequence[_Step], end: tuple[int, int]) -> tuple[int, PageKey | None]:
    """Return where an answer of these touches ends: at the end, or before it has more than PAGE_BYTES of text."""
    remaining_bytes = PAGE_BYTES
    known: set[Touch] = set()
    for step in steps:
        if step.touch in known:
            continue
        value = view.cards.get(step.touch.id) or view.parts.get(step.touch.id)
        if isinstance(value, Card | Checklist | Comment):
            remaining_bytes -= count_text_bytes(value)
            if known and remaining_bytes < 0:
                return _position(step.after, step.index)
        known.add(step.touch)
    return _position(*end)


def _position(after: int, index: int, key: PageKey = ()) -> tuple[int, PageKey | None]:
    """Return the last seq that is covered, and the page key within the event after it."""
    return after, ("event", index, *key) if index or key else None


def _add_touched(changes: BoardChanges, touch: Touch) -> None:
    view = changes.view
    match touch.kind:
        case TouchKind.LIST:
            _add(changes.lists, changes.gone["lists"], touch.id, {list_.id: list_ for list_ in view.lists})
        case TouchKind.LABEL:
            _add(changes.labels, changes.gone["labels"], touch.id, {label.id: label for label in view.labels})
        case TouchKind.MEMBER:
            members = {member.user_id: member for member in view.members}
            _add(changes.members, changes.gone["members"], touch.id, members)
        case TouchKind.FORMER_MEMBER:
            changes.gone["members"].append(touch.id)
        case TouchKind.CARD:
            _add(changes.cards, changes.gone["cards"], touch.id, view.cards)
        case TouchKind.CHECKLIST:
            checklists = {id_: part for id_, part in view.parts.items() if isinstance(part, Checklist)}
            _add(changes.checklists, changes.gone["checklists"], touch.id, checklists)
        case TouchKind.COMMENT:
            comments = {id_: part for id_, part in view.parts.items() if isinstance(part, Comment)}
            _add(changes.comments, changes.gone["comments"], touch.id, comments)


def _add(things: list[Thing], gone: list[str], id_: str, visible: Mapping[str, Thing]) -> None:
    if id_ in visible:
        things.append(visible[id_])
    elif id_ not in gone:
        gone.append(id_)


# By pages


def _begin_board(access: BoardAccess, board_id: str, history: str | None) -> BoardChanges:
    """Return the first page of the whole board."""
    view, page = access.page_events(board_id, EventQuery(newest_first=True), 1)
    (event,) = page.items
    steps, *_ = _list_steps([event], event.seq - 1, 0)
    # Pages may lag behind the last commit, but not once what it touched has been read by its keys.
    _read_by_keys(access, view, [step for step in steps if step.touch.kind in _KINDS_BY_KEY], (0, 0))
    changes = _read_pages(access, board_id, _ALL_OF_BOARD, _ALL_OF_BOARD[0], ())
    _ensure_same_history(changes.view, history, event.seq)
    view = changes.view
    changes.lists, changes.labels, changes.members = [*view.lists], [*view.labels], [*view.members]
    changes.is_reset = True
    return _continue_board(changes, event.seq)


def _continue_board(changes: BoardChanges, base: int) -> BoardChanges:
    """Set where a page of the whole board ends: after the last one, the events after `base` follow.

    Until then a reader that loses the cursor must begin anew.
    """
    if changes.page_key is None:
        changes.to_seq = base
    else:
        changes.page_key = ("board", changes.view.board.get_history(), base, *changes.page_key)
    return changes


def _read_touch_by_pages(
    access: BoardAccess, board_id: str, steps: Sequence[_Step], end: tuple[int, int], key: PageKey
) -> BoardChanges:
    """Return a page of the cards or parts that the first touch refers to."""
    (step, *_) = steps
    is_list = step.touch.kind == TouchKind.RANKS_OF_LIST
    phases = _ALL_OF_LIST if is_list else _ALL_OF_CARD
    phase, *store_key = key or (phases[0],)
    list_id, card_id = (step.touch.id, None) if is_list else (None, step.touch.id)
    changes = _read_pages(access, board_id, phases, str(phase), tuple(store_key), list_id=list_id, card_id=card_id)
    next_key = changes.page_key
    changes.to_seq, changes.page_key = (
        _position(*end) if next_key is None else _position(step.after, step.index, next_key)
    )
    return changes


def _read_pages(
    access: BoardAccess,
    board_id: str,
    phases: Sequence[str],
    phase: str,
    key: PageKey,
    *,
    list_id: str | None = None,
    card_id: str | None = None,
) -> BoardChanges:
    """Return pages of one moment from a phase on. The page key begins with the phase that is next, if there is one."""
    changes: BoardChanges | None = None
    remaining_bytes = PAGE_BYTES
    for current in phases[phases.index(phase) :]:
        room = MAX_RESOURCES - (changes.count() if changes else 0)
        view, values, next_key = _read_page(access, board_id, current, room, key, list_id=list_id, card_id=card_id)
        if changes is None:
            changes = BoardChanges(view, 0)
        elif view.board.seq != changes.view.board.seq:
            # Another moment: the next answer begins here.
            changes.page_key = (current,)
            return changes
        remaining_bytes -= sum(map(count_text_bytes, values))
        if changes.count() and remaining_bytes < 0:
            changes.page_key = (current,)
            return changes
        for value in values:
            changes.add(value)
        changes.page_key, key = ((current, *next_key) if next_key else None), ()
        following = phases[phases.index(current) + 1 :]
        if next_key:
            return changes
        if following and changes.count() >= MAX_RESOURCES:
            changes.page_key = (following[0],)
            return changes
    assert changes is not None  # noqa: S101 - there is always a phase.
    return changes


def _read_page(
    access: BoardAccess,
    board_id: str,
    phase: str,
    limit: int,
    key: PageKey,
    *,
    list_id: str | None,
    card_id: str | None,
) -> tuple[BoardView, Sequence[Card | Checklist | Comment], PageKey | None]:
    after = key or None
    if phase == "parts":
        view, parts = access.page_parts(board_id, limit, after, card_id)
        return view, parts.items, parts.next_key
    query = CardQuery(
        list_id=list_id,
        sort=CardSort.OLDEST if list_id is None else CardSort.POSITION,
        state=CardState(phase),
        with_archived_lists=True,
    )
    view, page = access.page_cards(board_id, query, limit, after)
    return view, page.items, page.next_key
