"""The door: the only way to a board, and the one place that decides who may enter."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn, TypeVar

from kanban.access import Caller, ensure_permitted
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.errors import NotFound, UnknownReference
from kanban.store import Busy, CardQuery, NeighbourOf, PartKey, Store
from kanban.values import Board, Card, CardRank, Checklist, Comment, Event, List, Role, Scope, Stage, TimeEntry
from kanban.views import BoardView, Page, PageKey

_Extra = TypeVar("_Extra")

_CARDS_PER_READ = 500
"""Cards that are read at once where all are wanted."""

_MAX_READ_ATTEMPTS = 3
"""How often a whole board is read before it is said to be too busy."""


class BoardAccess:
    """The boards that a caller may enter with the scope and the least role that an operation asks for.

    To someone who isn't a member a board does not exist: NotFound, the same as for a board that nobody made. A member
    whose role is too small is told so: RoleTooLow. A read asks the store once; `running`, `read_running_cards_of_user`,
    `read_consistently` and `read_time_entries` ask for page after page.
    """

    __slots__ = ("_caller", "_minimum_role", "_scope", "_store")

    def __init__(self, store: Store, caller: Caller, scope: Scope, minimum_role: Role) -> None:
        self._store = store
        self._caller = caller
        self._scope = scope
        self._minimum_role = minimum_role

    def read_board(
        self,
        board_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView:
        """The board with its lists, and the named cards and parts of these as far as they are there."""
        view = self._store.read_board(
            board_id, self._caller.user_id, card_ids=card_ids, neighbour_of=neighbour_of, parts=parts
        )
        return self._require_role(view)

    def read_referenced_board(self, board_id: str) -> BoardView:
        """A board that a body names as `board_id`. Raises UnknownReference where the caller is no member."""
        view = self._store.read_board(board_id, self._caller.user_id)
        if view is None:
            raise UnknownReference("board_id")
        return self._require_role(view)

    def read_board_with_deleted(
        self, board_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView:
        """The board with the named lists and cards, also those that are deleted."""
        view = self._store.read_deleted(board_id, self._caller.user_id, list_ids=list_ids, card_ids=card_ids)
        return self._require_role(view if view and view.board.deleted_at is None else None)

    def read_deleted_board(self, board_id: str) -> BoardView:
        """The board, also if it is deleted."""
        return self._require_role(self._store.read_deleted(board_id, self._caller.user_id))

    def page_deleted_lists(
        self, board_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]]:
        """A page of the board's lists that were deleted since that moment, newest first."""
        found = self._store.page_deleted_lists(board_id, self._caller.user_id, since, limit, after)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def read_running_cards(
        self, board_id: str, list_id: str | None = None
    ) -> tuple[BoardView, tuple[Card, ...] | None]:
        """The board, and its cards (or those of one list) whose clocks run; None if they are too many to stop."""
        # Whoever writes with the first view is refused if anything was written between two reads.
        query = CardQuery(list_id, Stage.IN_PROGRESS)
        view, found = self.page_cards(board_id, query, _CARDS_PER_READ)
        running = [card for card in found.items if card.running]
        while found.next_key and len(running) <= MAX_STOPPED_CLOCKS:
            _, found = self.page_cards(board_id, query, _CARDS_PER_READ, found.next_key)
            running += [card for card in found.items if card.running]
        return view, tuple(running) if len(running) <= MAX_STOPPED_CLOCKS else None

    def read_running_cards_of_user(self, board_id: str, user_id: str) -> tuple[BoardView, tuple[Card, ...]]:
        """Return the board, and its cards whose clocks run in the user's name, but not more than stop at once."""
        # Whoever writes with the first view is refused if anything was written between two reads.
        query = CardQuery(status=Stage.IN_PROGRESS)
        view, page = self.page_cards(board_id, query, _CARDS_PER_READ)
        running = [card for card in page.items if card.running and card.running.user_id == user_id]
        while page.next_key and len(running) < MAX_STOPPED_CLOCKS:
            _, page = self.page_cards(board_id, query, _CARDS_PER_READ, page.next_key)
            running += [card for card in page.items if card.running and card.running.user_id == user_id]
        return view, tuple(running[:MAX_STOPPED_CLOCKS])

    def page_cards(
        self, board_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]]:
        """A page of the board's cards."""
        found = self._store.page_cards(board_id, self._caller.user_id, query, limit, after)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def read_consistently(
        self, board_id: str, read_more: Callable[[Sequence[Card]], _Extra]
    ) -> tuple[BoardView, Sequence[Card], _Extra]:
        """The board, all its cards in use in the order of their places, and what else is to be known of these.

        All of it is of one moment. Raises Busy when the board is written to all the time.
        """
        for _ in range(_MAX_READ_ATTEMPTS):
            view, found = self.page_cards(board_id, CardQuery(), _CARDS_PER_READ)
            cards = list(found.items)
            while found.next_key:
                _, found = self.page_cards(board_id, CardQuery(), _CARDS_PER_READ, found.next_key)
                cards += found.items
            rest = read_more(cards)
            if self.read_board(board_id).board.seq == view.board.seq:
                return view, cards, rest
        raise Busy

    def read_card_ranks(self, board_id: str, list_id: str) -> tuple[BoardView, tuple[CardRank, ...]]:
        """The places of all cards of a list, hidden ones too, in order. None for a list that is not there."""
        found = self._store.read_card_ranks(board_id, self._caller.user_id, list_id)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def page_events(self, board_id: str, after_seq: int, limit: int) -> tuple[BoardView, Page[Event]]:
        """A page of the board's events, oldest first."""
        found = self._store.page_events(board_id, self._caller.user_id, after_seq, limit)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def page_time_entries(
        self, board_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]]:
        """A page of a card's time entries, oldest first; the view holds the card."""
        found = self._store.page_time_entries(board_id, self._caller.user_id, card_id, limit, after)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def read_checklists(self, board_id: str, card_id: str) -> tuple[BoardView, tuple[Checklist, ...]]:
        """A card's checklists, in their order; the view holds the card."""
        found = self._store.read_checklists(board_id, self._caller.user_id, card_id)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def page_comments(
        self, board_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]]:
        """A page of a card's comments, newest first; the view holds the card."""
        found = self._store.page_comments(board_id, self._caller.user_id, card_id, limit, after)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def page_assigned_cards(
        self, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        """A page of the cards that the caller is assigned to, each with its board."""
        return self._store.page_assigned_cards(self._caller.user_id, query, limit, after)

    def read_time_entries(self, board_id: str, card_id: str, max_entries: int) -> tuple[BoardView, list[TimeEntry]]:
        """The card's time entries, but not many more than `most`; the view is the one that was read first."""
        # Whoever writes with the first view is refused if anything was written between two reads.
        view, found = self.page_time_entries(board_id, card_id, max_entries + 1)
        entries = [*found.items]
        while found.next_key and len(entries) <= max_entries:
            _, found = self.page_time_entries(board_id, card_id, max_entries + 1, found.next_key)
            entries += found.items
        return view, entries

    def page_board_time_entries(
        self, board_id: str, date_range: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]]:
        """A page of the time entries that reach into a span, with their cards."""
        found = self._store.page_board_time_entries(board_id, self._caller.user_id, date_range, limit, after)
        return (self._require_role(found[0]), found[1]) if found else self._raise_not_found()

    def page_boards(self, limit: int, after: PageKey | None = None, *, archived: bool) -> Page[tuple[Board, Role]]:
        """A page of the caller's boards, newest first: those in use, or those that are archived."""
        return self._store.page_boards(self._caller.user_id, limit, after, archived=archived)

    def page_deleted_boards(
        self, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        """A page of the boards that the caller owns and that were deleted since that moment, newest first."""
        return self._store.page_deleted_boards(self._caller.user_id, since, limit, after)

    def _require_role(self, view: BoardView | None) -> BoardView:
        if view is None:
            raise NotFound("board")
        ensure_permitted(self._caller, self._scope, role=view.role, required_role=self._minimum_role)
        return view

    def _raise_not_found(self) -> NoReturn:
        raise NotFound("board")
