"""Users, boards and cards in a store, created through the rules, with a clock that the test moves."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kanban import boards, cards, lists, tokens, users
from kanban.changes import ActionContext, Change, build_change
from kanban.ids import IdGenerator
from kanban.store import CardQuery, EventQuery, NeighbourOf, StaleRead, Store
from kanban.values import Card, Event, List, Member, NewBoard, NewCard, NewList, Role, Scope, Stage, Token, User
from kanban.views import BoardView, Page, PageKey

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)

Item = TypeVar("Item")
Result = TypeVar("Result")


class World:
    """A store in which Ann owns a board. Methods work on that board, as Ann unless they take another user."""

    def __init__(self, store: Store, seed: int = 7) -> None:
        self.store = store
        self.now = NOON
        self.random_bytes = random.Random(seed).randbytes  # noqa: S311  (a test wants the same chances again)
        self._read_new_id = IdGenerator(lambda: self.now, self.random_bytes)
        self.ann = self.add_user("Ann")
        self.board_id = self.add_board("Website")

    def context(self, user: User | None = None) -> ActionContext:
        """Return the context of an action by a user, or Ann, at the present time."""
        return ActionContext((user or self.ann).id, self.now, self._read_new_id)

    def advance(self, **duration: float) -> None:
        """Move the clock forward by a duration, given as to `timedelta`."""
        self.now += timedelta(**duration)

    def add_user(self, name: str, *, id: str | None = None) -> User:  # noqa: A002  (it is the id)
        """Create a user."""
        user, change = users.create(ActionContext("", self.now, self._read_new_id), name=name, id=id)
        self.store.commit(change)
        return user

    def add_token(self, user: User | None = None, **fields: Any) -> Token:
        """Create a token of a user, or of Ann."""
        return self._issue_token(user, **fields)[0]

    def add_token_text(self) -> str:
        """Create a token of Ann; return its text."""
        return self._issue_token()[1]

    def add_board(self, name: str, owner: User | None = None, **fields: Any) -> str:
        """Create a board; return its id."""
        view, change = boards.create(self.context(owner), NewBoard(name=name, **fields))
        self.store.commit(change)
        return view.board.id

    def add_member(self, user: User, role: Role) -> None:
        """Add a user to the board."""
        view = self.read_board()
        member = Member(self.context().new_id("member"), self.board_id, user.id, role, 1, self.now, self.now)
        self.store.commit(build_change(view, self.context(), "member.added", creates=(member,)))

    def read_board(
        self, *card_ids: str, neighbour_of: NeighbourOf | None = None, user: User | None = None
    ) -> BoardView:
        """Ann's board."""
        view = self.store.read_board(self.board_id, (user or self.ann).id, card_ids=card_ids, neighbour_of=neighbour_of)
        assert view is not None
        return view

    def find_list(self, name: str) -> List:
        """Return the list of that name."""
        return next(list_ for list_ in self.read_board().lists if list_.name == name)

    def apply(
        self,
        rule: Callable[..., tuple[Result, Change | None]],
        *card_ids: str,
        neighbour_of: NeighbourOf | None = None,
        user: User | None = None,
        **fields: Any,
    ) -> Result:
        """Read the board, apply a rule and commit its change; again while the view is stale. Return the value."""
        while True:
            view = self.read_board(*card_ids, neighbour_of=neighbour_of, user=user)
            value, change = rule(view, *card_ids, context=self.context(user), **fields)
            try:
                if change is not None:
                    self.store.commit(change)
            except StaleRead:
                continue
            return value

    def add_list(self, name: str, **fields: Any) -> List:
        """Add a list."""
        return self.apply(lists.create, new=NewList(name=name, **{"stage": Stage.TODO, **fields}))

    def add_card(self, title: str, list_name: str = "To do", **fields: Any) -> Card:
        """Add a card to the list of that name."""
        return self.apply(cards.create, new=NewCard(title=title, list_id=self.find_list(list_name).id, **fields))

    def move_card(self, card: Card, list_id: str, **position: str) -> Card:
        """Move a card; return it."""
        fields: dict[str, Any] = {"list_id": list_id, **position}
        return self.apply(cards.move, card.id, neighbour_of=neighbour_for(position), **fields)

    def delete_card(self, card: Card) -> None:
        """Delete a card."""
        self.store.commit(cards.delete(self.read_board(card.id), card.id, self.context()))

    def delete_list(self, name: str) -> None:
        """Delete a list with its cards."""
        self.store.commit(lists.delete(self.read_board(), self.find_list(name).id, self.context()))

    def write(self, *, creates: tuple[Any, ...] = (), updates: tuple[Any, ...] = (), **fields: Any) -> None:
        """Write values that no rule would make."""
        self.store.commit(
            build_change(self.read_board(), self.context(), "test.written", creates=creates, updates=updates, **fields)
        )

    def add_cards_with_ranks(self, list_name: str, ranks: list[str]) -> list[Card]:
        """Add cards with these ranks to an empty list."""
        list_ = self.find_list(list_name)
        new_cards = [make_card(self, list_, rank, title=f"Card {number}") for number, rank in enumerate(ranks)]
        counted = replace(list_, card_count=len(new_cards), first_rank=ranks[0], last_rank=ranks[-1])
        self.write(creates=tuple(new_cards), updates=(counted,))
        return new_cards

    def read_card(self, card: Card) -> Card:
        """Read a card again."""
        return self.read_board(card.id).get_card(card.id)

    def list_cards(self, query: CardQuery | None = None, limit: int = 100) -> list[Card]:
        """Return all cards of a query, page by page."""

        def page(after: PageKey | None) -> Page[Card]:
            result = self.store.page_cards(self.board_id, self.ann.id, query or CardQuery(), limit, after)
            assert result is not None
            return result[1]

        return collect_pages(page, limit)

    def list_titles(self, list_name: str) -> list[str]:
        """Return the titles of a list's cards in their order."""
        return [card.title for card in self.list_cards(CardQuery(list_id=self.find_list(list_name).id))]

    def list_events(self) -> list[Event]:
        """Return all events of the board."""

        def page(after: PageKey | None) -> Page[Event]:
            after_seq = int(after[0]) if after else 0
            result = self.store.page_events(self.board_id, self.ann.id, EventQuery(after_seq), 100)
            assert result is not None
            return result[1]

        return collect_pages(page, 100)

    def _issue_token(self, user: User | None = None, **fields: Any) -> tuple[Token, str]:
        fields = {"name": "Laptop", "scopes": list(Scope), **fields}
        token, text, change = tokens.issue(self.context(), self.random_bytes, user_id=(user or self.ann).id, **fields)
        self.store.commit(change)
        return token, text


def neighbour_for(position: Mapping[str, str]) -> NeighbourOf | None:
    """Return the neighbour that a read for a move to this position needs."""
    return next((NeighbourOf(position[side], side) for side in ("before", "after") if side in position), None)


def collect_pages(
    page: Callable[[PageKey | None], Page[Item]], limit: int, *, may_be_empty: bool = False
) -> list[Item]:
    """Return the items of all pages. Assert that none exceeds the limit, and none but the last is empty, or any may."""
    items: list[Item] = []
    after: PageKey | None = None
    while True:
        result = page(after)
        assert len(result.items) <= limit
        items += result.items
        if result.next_key is None:
            return items
        assert result.items or may_be_empty
        after = result.next_key


def make_card(world: World, list_: List, rank: str, **fields: Any) -> Card:
    """Return a card of a list with a rank and any other fields, not written yet."""
    card = cards.build_card(NewCard("Bare"), world.context().new_id("card"), list_, rank=rank, at=world.now)
    return replace(card, **fields)
