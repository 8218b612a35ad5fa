"""Pages of cards are the same, whether few cards are sorted or many are read in the order of an index.

The store chooses by the number of cards that a filter leaves. Here each way is taken for every query, and compared with
what Python filters and sorts.
"""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kanban.card_filters import matches_comparisons
from kanban.store import CardQuery, CardSort, CardState, Store
from kanban.values import Card, Stage
from kanban.views import BoardView, PageKey
from stores import open_store
from stores.sql import card_page_statements
from tests.engines.postgresql_server import PostgresqlServer
from tests.stores import large_store
from tests.stores.large_store import ANN, BOB, BUSY_BOARD, CARL, NOW, TODO_LIST

LIMIT = 40
SCOPES: list[dict[str, Any]] = [{}, {"list_id": TODO_LIST}, {"status": Stage.IN_PROGRESS}]
FILTERS: list[dict[str, Any]] = [
    {"label_id": large_store.COMMON_LABEL},
    {"label_id": large_store.RARE_LABEL},
    {"label_id": large_store.UNUSED_LABEL},
    {"assignee_id": ANN},
    {"assignee_id": BOB},
    {"assignee_id": CARL},
    {"assignee_id": "nobody"},
    {"due_from": NOW - timedelta(days=9), "due_until": NOW},
    {"overdue_at": NOW, "assignee_id": ANN},
    {"overdue_at": NOW, "due_from": NOW - timedelta(days=30)},
    {"updated_since": NOW - timedelta(days=299)},
    {"updated_since": NOW - timedelta(days=290), "due_until": NOW, "label_id": large_store.COMMON_LABEL, "q": "card 4"},
]


@dataclass(frozen=True)
class FilledStore:
    """A store, and all cards of its busy board by state, in the order of their positions."""

    store: Store
    view: BoardView
    cards: dict[CardState, list[Card]]

    def list_cards(self, query: CardQuery) -> list[str]:
        """Return the ids of all cards of a query, page by page."""
        ids: list[str] = []
        after: PageKey | None = None
        while True:
            result = self.store.page_cards(BUSY_BOARD, ANN, query, LIMIT, after)
            assert result is not None
            ids += [card.id for card in result[1].items]
            after = result[1].next_key
            if after is None:
                return ids

    def filter_and_sort(self, query: CardQuery) -> list[str]:
        """Return the same ids in plain Python."""
        cards = [card for card in self.cards[query.state] if self._matches(card, query)]
        if query.sort != CardSort.POSITION:
            by = {"created_at": "id", "updated_at": "updated_at", "due_at": "due_at"}[query.sort.lstrip("-")]
            cards = [card for card in cards if getattr(card, by) is not None]
            cards.sort(key=lambda card: (getattr(card, by), card.id), reverse=query.sort.startswith("-"))
        return [card.id for card in cards]

    def _matches(self, card: Card, query: CardQuery) -> bool:
        list_ = self.view.get_list(card.list_id)
        member_ids = [member.id for member in self.view.members if member.user_id == query.assignee_id]
        return (
            query.list_id in (None, card.list_id)
            and query.status in (None, list_.stage)
            and (query.label_id is None or query.label_id in card.label_ids)
            and (query.assignee_id is None or any(member_id in card.assignee_ids for member_id in member_ids))
            and (query.overdue_at is None or not (card.due_complete or list_.stage == Stage.DONE))
            and (query.q is None or query.q in card.title.lower())
            and matches_comparisons(card, query)
        )


def read_all(store: Store) -> FilledStore:
    view = store.read_board(BUSY_BOARD, ANN)
    assert view is not None
    filled = FilledStore(store, view, {})
    for state in CardState:
        ids = filled.list_cards(CardQuery(state=state))
        result = store.read_deleted(BUSY_BOARD, ANN, card_ids=ids)
        assert result is not None
        filled.cards[state] = [result.cards[card_id] for card_id in ids]
    return filled


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FilledStore]:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("filled") / "store.db"
        shutil.copy(empty_sqlite, path)
        large_store.fill_sqlite(path, 1)
        with closing(open_store(f"sqlite:///{path}")) as store:
            yield read_all(store)
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        with server.database() as name, closing(open_store(server.url(name))) as store:
            with closing(server.connection(name)) as connection:
                large_store.fill_postgresql(connection, 1)
            yield read_all(store)


@pytest.mark.parametrize("max_candidates", [-1, 1_000_000], ids=["in the order of an index", "sorted"])
@pytest.mark.parametrize("sort", CardSort)
def test_every_query_returns_its_cards_in_its_order(
    filled: FilledStore, monkeypatch: pytest.MonkeyPatch, sort: CardSort, max_candidates: int
) -> None:
    monkeypatch.setattr(card_page_statements, "MAX_CANDIDATES", max_candidates)
    expected_cards = 0

    for state, scope, filters in itertools.product(CardState, SCOPES, FILTERS):
        query = CardQuery(sort=sort, state=state, **scope, **filters)
        expected = filled.filter_and_sort(query)
        assert filled.list_cards(query) == expected, query
        expected_cards += len(expected)

    assert expected_cards > 1_000


@pytest.mark.parametrize(("max_candidates", "is_sorted"), [(14, False), (15, True)])
def test_few_cards_are_sorted_and_many_are_read_in_order(
    filled: FilledStore, monkeypatch: pytest.MonkeyPatch, max_candidates: int, *, is_sorted: bool
) -> None:
    sorted_by: list[str] = []
    select = card_page_statements.select_narrowed_cards
    monkeypatch.setattr(card_page_statements, "MAX_CANDIDATES", max_candidates)

    def record(narrowing: card_page_statements.Narrowing, *arguments: Any, **options: Any) -> Any:
        sorted_by.append(narrowing)
        return select(narrowing, *arguments, **options)

    monkeypatch.setattr(card_page_statements, "select_narrowed_cards", record)

    filled.list_cards(CardQuery(label_id=large_store.RARE_LABEL, assignee_id=ANN))

    # Each of the five lists has three cards with the rare label, and Ann has hundreds.
    assert sorted_by == (["label_id"] if is_sorted else [])
