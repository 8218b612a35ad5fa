"""Board access: the only way to a board, and the only place that decides who has access to it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from kanban.access import Caller, ensure_may_create_boards, ensure_permitted
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.errors import NotFound, UnknownReference
from kanban.store import CardQuery, CardsWithChecklists, EventQuery, NeighbourOf, PartKey, Store
from kanban.values import (
    UNLIMITED,
    Board,
    Card,
    CardRank,
    CardView,
    Checklist,
    Comment,
    Event,
    List,
    Role,
    Scope,
    Stage,
    TimeEntry,
)
from kanban.views import BoardView, Page, PageKey, WorkedTime
from usecases import narrowed_listings

T = TypeVar("T")

_CARDS_PER_READ = 500


class BoardAccess:
    """A caller's access to boards, with the scope and the minimum role that an operation requires.

    For callers who are not members, a board does not exist: they get NotFound, as for a board that was never created.
    So do callers whose token does not reach the board. Members whose role is too low get RoleTooLow. The role in every
    view is what the token's limits leave of the member's. Most methods read the store once; `read_running_cards`,
    `read_running_cards_of_user` and `read_time_entries` read page after page, and a token that reaches certain boards
    only makes a listing over boards read each of them.
    """

    __slots__ = ("_caller", "_minimum_role", "_scope", "_store")

    def __init__(self, store: Store, caller: Caller, scope: Scope, minimum_role: Role) -> None:
        self._store = store
        self._caller = caller
        self._scope = scope
        self._minimum_role = minimum_role

    @property
    def may_read(self) -> bool:
        """Whether the caller's token may be used for reading: no scope contains another one."""
        return Scope.READ in self._caller.scopes

    def ensure_may_create_boards(self) -> None:
        """Raise TokenTooNarrow if the caller's token could not reach a new board."""
        ensure_may_create_boards(self._caller)

    def limit_role(self, role: Role) -> Role:
        """Return the role that the token's limits leave of its user's."""
        # Most tokens have none: a call would cost more than this.
        return role if self._caller.limits is UNLIMITED else self._caller.limit_role(role)

    def require_owner(self, view: BoardView) -> BoardView:
        """Return the view, for what takes an owner although the operation doesn't. Raises RoleTooLow."""
        ensure_permitted(self._caller, self._scope, role=view.role, required_role=Role.OWNER)
        return view

    def read_board(
        self,
        board_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView:
        """Return the board with its lists, and the named cards and their named parts, as far as they exist."""
        view = self._store.read_board(
            board_id, self._get_reader_id(board_id), card_ids=card_ids, neighbour_of=neighbour_of, parts=parts
        )
        return self._require_role(view)

    def read_card(self, board_id: str, card_id: str) -> CardView:
        """Return a live card as the caller sees it."""
        result = self._store.read_card(board_id, self._get_reader_id(board_id), card_id)
        if result is None:
            raise NotFound("board")
        role, card = result
        self._ensure_permitted(self.limit_role(role))
        if card is None:
            raise NotFound("card")
        return card

    def read_referenced_board(self, board_id: str, field: str = "board_id") -> BoardView:
        """Return a board that a request's body names in `field`. Raises UnknownReference if the caller can't see it."""
        try:
            return self.read_board(board_id)
        except NotFound:
            raise UnknownReference(field) from None

    def read_board_with_deleted(
        self, board_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView:
        """Return the board with the named lists and cards, deleted ones included."""
        view = self._store.read_deleted(board_id, self._get_reader_id(board_id), list_ids=list_ids, card_ids=card_ids)
        return self._require_role(view if view and view.board.deleted_at is None else None)

    def read_deleted_board(self, board_id: str) -> BoardView:
        """Return the board, even if it is deleted."""
        return self._require_role(self._store.read_deleted(board_id, self._get_reader_id(board_id)))

    def page_deleted_lists(
        self, board_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]]:
        """Return a page of the board's lists that were deleted since that instant, newest first."""
        return self._require_access(
            self._store.page_deleted_lists(board_id, self._get_reader_id(board_id), since, limit, after)
        )

    def read_running_cards(
        self, board_id: str, list_id: str | None = None
    ) -> tuple[BoardView, tuple[Card, ...] | None]:
        """Return the board and its cards, or those of one list, whose clocks run.

        The cards are None if there are more than one change can stop.
        """
        # A change is based on the first view: if anything is written during the further reads, its commit is stale.
        query = CardQuery(list_id, Stage.IN_PROGRESS)
        view, page = self.page_cards(board_id, query, _CARDS_PER_READ)
        running = [card for card in page.items if card.running]
        while page.next_key and len(running) <= MAX_STOPPED_CLOCKS:
            _, page = self.page_cards(board_id, query, _CARDS_PER_READ, page.next_key)
            running += [card for card in page.items if card.running]
        return view, tuple(running) if len(running) <= MAX_STOPPED_CLOCKS else None

    def read_running_cards_of_user(self, board_id: str, user_id: str) -> tuple[BoardView, tuple[Card, ...]]:
        """Return the board and its cards whose clocks run in the user's name, as many as one change can stop."""
        # A change is based on the first view: if anything is written during the further reads, its commit is stale.
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
        """Return a page of the board's cards."""
        return self._require_access(
            self._store.page_cards(board_id, self._get_reader_id(board_id), query, limit, after)
        )

    def page_card_views(
        self, board_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[CardView]]:
        """Return a page of the board's cards as the caller sees them."""
        return self._require_access(
            self._store.page_card_views(board_id, self._get_reader_id(board_id), query, limit, after)
        )

    def read_cards_with_checklists(
        self, board_id: str, list_id: str | None = None
    ) -> tuple[BoardView, CardsWithChecklists]:
        """Return the board, and all its active cards or those of one list with their checklists, as of one moment."""
        return self._require_access(
            self._store.read_cards_with_checklists(board_id, self._get_reader_id(board_id), list_id)
        )

    def read_card_ranks(self, board_id: str, list_id: str) -> tuple[BoardView, tuple[CardRank, ...]]:
        """Return the ranks of all cards of a list, hidden ones included, in order; none if the list is not live."""
        return self._require_access(self._store.read_card_ranks(board_id, self._get_reader_id(board_id), list_id))

    def page_events(self, board_id: str, query: EventQuery, limit: int) -> tuple[BoardView, Page[Event]]:
        """Return a page of the board's events, oldest or newest first."""
        return self._require_access(self._store.page_events(board_id, self._get_reader_id(board_id), query, limit))

    def page_time_entries(
        self, board_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]]:
        """Return a page of a card's time entries, oldest first; the view has the card."""
        return self._require_access(
            self._store.page_time_entries(board_id, self._get_reader_id(board_id), card_id, limit, after)
        )

    def read_checklists(self, board_id: str, card_id: str) -> tuple[BoardView, tuple[Checklist, ...]]:
        """Return a card's checklists in their order; the view has the card."""
        return self._require_access(self._store.read_checklists(board_id, self._get_reader_id(board_id), card_id))

    def page_comments(
        self, board_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]]:
        """Return a page of a card's comments, newest first; the view has the card."""
        return self._require_access(
            self._store.page_comments(board_id, self._get_reader_id(board_id), card_id, limit, after)
        )

    def page_parts(
        self, board_id: str, limit: int, after: PageKey | None = None, card_id: str | None = None
    ) -> tuple[BoardView, Page[Checklist | Comment]]:
        """Return a page of the checklists and comments of the board's cards, or of one card."""
        return self._require_access(
            self._store.page_parts(board_id, self._get_reader_id(board_id), limit, after, card_id)
        )

    def page_assigned_cards(
        self, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        """Return a page of the cards that the caller is assigned to, each with its board."""
        if self._caller.limits.board_ids is not None:
            return narrowed_listings.page_assigned_cards(self._store, self._caller, query, limit, after)
        page = self._store.page_assigned_cards(self._caller.user_id, query, limit, after)
        return Page(tuple((self._limit_view(view), card) for view, card in page.items), page.next_key)

    def read_time_entries(self, board_id: str, card_id: str, max_entries: int) -> tuple[BoardView, list[TimeEntry]]:
        """Return the card's time entries; reading ends once there are more than `max_entries`."""
        # A change is based on the first view: if anything is written during the further reads, its commit is stale.
        view, page = self.page_time_entries(board_id, card_id, max_entries + 1)
        entries = [*page.items]
        while page.next_key and len(entries) <= max_entries:
            _, page = self.page_time_entries(board_id, card_id, max_entries + 1, page.next_key)
            entries += page.items
        return view, entries

    def page_board_time_entries(
        self, board_id: str, date_range: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]]:
        """Return a page of the time entries that overlap a range of time, each with its card."""
        return self._require_access(
            self._store.page_board_time_entries(board_id, self._get_reader_id(board_id), date_range, limit, after)
        )

    def page_worked_time(
        self, board_id: str, date_range: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[WorkedTime]]:
        """Return a page of the work in a range of time, as its time entries say it."""
        return self._require_access(
            self._store.page_worked_time(board_id, self._get_reader_id(board_id), date_range, limit, after)
        )

    def page_boards(self, limit: int, after: PageKey | None = None, *, archived: bool) -> Page[tuple[Board, Role]]:
        """Return a page of the caller's active or archived boards, newest first, each with the caller's role."""
        if self._caller.limits.board_ids is not None:
            return narrowed_listings.page_boards(self._store, self._caller, limit, after, archived=archived)
        return self._limit_roles(self._store.page_boards(self._caller.user_id, limit, after, archived=archived))

    def page_deleted_boards(
        self, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        """Return a page of the boards that the caller owns and that were deleted since that instant, newest first."""
        if not self.limit_role(Role.OWNER).covers(Role.OWNER):
            return Page(())
        if self._caller.limits.board_ids is not None:
            return narrowed_listings.page_deleted_boards(self._store, self._caller, since, limit, after)
        return self._store.page_deleted_boards(self._caller.user_id, since, limit, after)

    def _get_reader_id(self, board_id: str) -> str:
        """Return the id of the user as whom a board is read. Raises NotFound if the token does not reach the board.

        Nothing is read then, so that not even the time of the response tells whether there is such a board.
        """
        caller = self._caller
        if caller.limits is not UNLIMITED and not caller.reaches(board_id):
            raise NotFound("board")
        return caller.user_id

    def _limit_view(self, view: BoardView) -> BoardView:
        """Return the view with the role that the token's limits leave of the member's."""
        role = self.limit_role(view.role)
        return view if role is view.role else replace(view, role=role)

    def _limit_roles(self, page: Page[tuple[Board, Role]]) -> Page[tuple[Board, Role]]:
        if self._caller.limits.max_role is None:
            return page
        return Page(tuple((board, self.limit_role(role)) for board, role in page.items), page.next_key)

    def _require_access(self, result: tuple[BoardView, T] | None) -> tuple[BoardView, T]:
        """Return what a read of the store returned. Raises NotFound, RoleTooLow, ScopeMissing."""
        if result is None:
            raise NotFound("board")
        view, values = result
        return self._require_role(view), values

    def _require_role(self, view: BoardView | None) -> BoardView:
        if view is None:
            raise NotFound("board")
        view = self._limit_view(view)
        self._ensure_permitted(view.role)
        return view

    def _ensure_permitted(self, role: Role) -> None:
        ensure_permitted(self._caller, self._scope, role=role, required_role=self._minimum_role)
