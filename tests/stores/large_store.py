"""Fill the tables of a SQL store with a busy board and much else, far faster than through the rules.

Everything that a listing reads or must skip grows with the scale: cards that are active, archived, deleted, or on lists
that are; boards and tokens of all states; comments, time entries and events.
"""

import itertools
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from stores.sql import tables
from usecases.audit_log import MAX_ENTRIES_LOOKED_AT

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
CARDS_PER_LIST = 100
LISTS = {"todo": "todo", "doing": "in_progress", "done": "done", "archived": "todo", "deleted": "todo"}
"""The lists of the busy board by name, with their stages; two of them are what their names say."""

BUSY_BOARD, TODO_LIST = "brd_7" + "z" * 25, f"lst_7{0:025d}"
ANN, BOB, CARL, ROBOT = "ann", "bob", "carl", "robot"
"""Ann is assigned to half of the cards of the busy board, Bob to a few, Carl to none. Carl has boards and tokens, and
Ann a bot with tokens."""
COMMON_LABEL, RARE_LABEL, UNUSED_LABEL = (f"lbl_{number:026d}" for number in range(3))
LONG_CARD = f"crd_{5:026d}"
"""An active card with many comments and time entries."""
RARE_CARDS = 3
"""How many cards of each list have the rare label; they are active unless their list is not."""
ARCHIVED_SHARE, DELETED_SHARE, COMMON_SHARE = 0.5, 0.35, 0.5
DATED_SHARE, COMPLETE_SHARE, TIMED_SHARE, COMMENTED_SHARE = 0.9, 0.3, 0.25, 0.2

Row = dict[str, Any]


def fill_sqlite(path: Path, scale: int) -> None:
    """Fill the empty store in a file."""
    with closing(sqlite3.connect(path)) as connection:
        for table, rows in _rows_by_table(scale).items():
            columns = [column.name for column in table.columns]
            placeholders = ", ".join("?" for _ in columns)
            values = ([row.get(name, _default(table, name)) for name in columns] for row in rows)
            connection.executemany(f"INSERT INTO {table.name} VALUES ({placeholders})", values)  # noqa: S608  (tables of ours)
        connection.commit()


def fill_postgresql(connection: psycopg.Connection[Any], scale: int) -> None:
    """Fill the empty store of a connection and let the server clean it and gather its statistics."""
    for table, rows in _rows_by_table(scale).items():
        columns = [column.name for column in table.columns]
        names = ", ".join(f'"{name}"' for name in columns)
        with connection.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(
                    [_to_postgresql(table.c[name], row.get(name, _default(table, name))) for name in columns]
                )
    # As autovacuum does after so many rows: before that, no scan can use an index alone.
    connection.execute("VACUUM (ANALYZE)")


def _to_postgresql(column: sa.Column[Any], value: Any) -> Any:
    return bool(value) if column.type is tables.BOOLEAN else value


def _default(table: sa.Table, name: str) -> Any:
    """Return the value of a column that no row below sets."""
    column = table.c[name]
    if column.nullable:
        return None
    if column.type in (tables.INTEGER, tables.BOOLEAN):
        return 1 if name in ("version", "seq") else 0
    return _format(NOW) if column.type is tables.TIMESTAMP else ""


def _format(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _rows_by_table(scale: int) -> Mapping[sa.Table, Iterable[Row]]:
    """Return the rows of each table, those that others refer to first."""
    rows: defaultdict[sa.Table, list[Row]] = defaultdict(list)
    for table, row in itertools.chain(
        _users_and_tokens(scale), _invitations_and_entries(scale), _other_boards(scale), _busy_board(scale)
    ):
        rows[table].append(row)
    return {table: rows[table] for table in tables.metadata.sorted_tables if rows[table]}


def _users_and_tokens(scale: int) -> Iterator[tuple[sa.Table, Row]]:
    yield tables.users, {"id": ANN, "name": "Ann", "bot_ids": ROBOT}
    yield tables.users, {"id": ROBOT, "name": "Robot", "owner_id": ANN}
    for user_id in (BOB, CARL, *_other_users(scale)):
        yield tables.users, {"id": user_id, "name": user_id.title()}
    yield tables.settings, {"name": "owner", "value": ANN}
    numbers = itertools.count(1)

    def token(**fields: Any) -> Row:
        number = next(numbers)
        digest = f"{number:064d}"
        row = {"id": f"tok_{number:026d}", "user_id": CARL, "name": "x", "digest": digest, "scopes": "read"}
        return {**row, "kind": "api", **fields}

    yield tables.tokens, (revoked := token(revoked_at=_format(NOW)))
    for user_id in _other_users(scale):
        yield tables.tokens, token(user_id=user_id)
    for _ in range(100 * scale):
        yield tables.tokens, token()
        yield tables.tokens, token(user_id=ROBOT)
    for _ in range(100 * scale):
        yield tables.tokens, token(revoked_at=_format(NOW))
    for _ in range(100 * scale):
        yield tables.tokens, (descendant := token())
        yield (
            tables.token_ancestors,
            {"token_id": descendant["id"], "position": 0, "ancestor_id": revoked["id"]},
        )
    for _ in range(100 * scale):
        yield tables.tokens, token(kind="session")


def _invitations_and_entries(scale: int) -> Iterator[tuple[sa.Table, Row]]:
    for number in range(10 * scale):
        row = {"id": f"inv_{number:026d}", "role": "viewer", "digest": "f" * 64, "max_uses": 1, "created_by": ANN}
        yield tables.invitations, row
    # More than one page looks at.
    for number in range(MAX_ENTRIES_LOOKED_AT + 100 * scale):
        row = {"id": f"aud_{number:026d}", "type": "token.created", "actor_id": ANN, "user_id": (ANN, BOB)[number % 2]}
        yield tables.audit_entries, {**row, "data": "{}"}
    for number, user_id in enumerate(_other_users(scale)):
        yield tables.sign_in_codes, {"digest": f"{number:064d}", "user_id": user_id}


def _other_users(scale: int) -> list[str]:
    return [f"user-{number}" for number in range(30 * scale)]


def _board(board_id: str, **fields: Any) -> Row:
    return {"id": board_id, "name": "Board", "currency": "EUR", "seq": 1, "created_by": ANN, **fields}


def _member(board_id: str, user_id: str, role: str = "owner") -> Row:
    member_id = f"mbr_{user_id}{board_id[4:]}"
    return {"board_id": board_id, "user_id": user_id, "role": role, "id": member_id, "updated_at": _format(NOW)}


def _list(list_id: str, board_id: str, stage: str = "todo", **fields: Any) -> Row:
    ranks = {"first_rank": "a0", "last_rank": "b00"}
    row = {"id": list_id, "board_id": board_id, "name": "List", "stage": stage, "rank": list_id[4:], **ranks}
    return {**row, "wip_enforcement": "warn", **fields}


def _label(label_id: str, board_id: str) -> Row:
    return {"id": label_id, "board_id": board_id, "name": "Label", "color": "red"}


def _other_boards(scale: int) -> Iterator[tuple[sa.Table, Row]]:
    """Yield the boards of Carl and one other user each. The newest are active, as many are archived and deleted."""
    other_users = itertools.cycle(_other_users(scale))
    states: tuple[Row, ...] = ({"deleted_at": _format(NOW)}, {"archived_at": _format(NOW)}, {})
    for number, state in enumerate(itertools.chain.from_iterable([state] * 100 * scale for state in states)):
        board_id = f"brd_{number:026d}"
        yield tables.boards, _board(board_id, **state)
        yield tables.members, _member(board_id, CARL)
        yield tables.members, _member(board_id, next(other_users))
        for position in range(4 if number % 10 == 0 else 0):
            yield tables.lists, _list(f"lst_{number * 10 + position:026d}", board_id)
            yield tables.labels, _label(f"lbl_{number * 10 + position + 10:026d}", board_id)


def _card(number: int, list_: Row, **fields: Any) -> Row:
    created_at = NOW - timedelta(days=300) + timedelta(minutes=number % 400_000)
    updated_at = created_at + timedelta(days=number * 7919 % 30)
    row = {
        "id": f"crd_{number:026d}",
        "board_id": list_["board_id"],
        "list_id": list_["id"],
        "status": list_["stage"],
        "title": f"Card {number}",
        "search": f"card {number}\n",
        "rank": f"b{number * 6007 % 1_000_003:07d}",
        "created_at": _format(created_at),
        "updated_at": _format(updated_at),
    }
    return {**row, **fields}


def _busy_board(scale: int) -> Iterator[tuple[sa.Table, Row]]:
    yield tables.boards, _board(BUSY_BOARD, seq=100 * scale)
    memberships = [_member(BUSY_BOARD, user_id) for user_id in (ANN, BOB, CARL)]
    yield from ((tables.members, member) for member in memberships)
    for label_id in (COMMON_LABEL, RARE_LABEL, UNUSED_LABEL):
        yield tables.labels, _label(label_id, BUSY_BOARD)
    lists = [
        _list(
            f"lst_7{number:025d}",
            BUSY_BOARD,
            stage,
            archived_at=_format(NOW) if name == "archived" else None,
            deleted_at=_format(NOW) if name == "deleted" else None,
        )
        for number, (name, stage) in enumerate(LISTS.items())
    ]
    yield from ((tables.lists, list_ | {"card_count": CARDS_PER_LIST * scale}) for list_ in lists)
    chance = random.Random(7)  # noqa: S311  (every test wants the same store)
    member_ids = [member["id"] for member in memberships]
    for number in range(CARDS_PER_LIST * scale * len(lists)):
        yield from _busy_card(number, lists[number % len(lists)], member_ids, chance)
    for number in range(100 * scale):
        yield tables.comments, _comment(number, LONG_CARD)
        yield tables.time_entries, _time_entry(number, LONG_CARD)
        yield (
            tables.events,
            {
                "board_id": BUSY_BOARD,
                "seq": number + 1,
                "type": "board.unarchived",
                "at": _format(NOW),
                "actor_id": ANN,
                "data": "{}",
                "touches": f"ccrd_{number % 50 + 10:026d} l{TODO_LIST}",
            },
        )


def _busy_card(number: int, list_: Row, member_ids: list[str], chance: random.Random) -> Iterator[tuple[sa.Table, Row]]:
    """Yield a card of some state, and what it has."""
    fields: Row = {}
    if number >= len(LISTS) * RARE_CARDS:
        fields |= {"archived_at": _format(NOW)} if chance.random() < ARCHIVED_SHARE else {}
        fields |= {"deleted_at": _format(NOW)} if chance.random() < DELETED_SHARE else {}
    if chance.random() < DATED_SHARE:
        fields["due_at"] = _format(NOW + timedelta(hours=chance.randrange(-1_400, 600)))
        fields["due_complete"] = int(chance.random() < COMPLETE_SHARE)
    yield tables.cards, (card := _card(number, list_, **fields))
    is_rare = number < len(LISTS) * RARE_CARDS
    for label_id, member_id, is_theirs in (
        (COMMON_LABEL, member_ids[0], chance.random() < COMMON_SHARE),
        (RARE_LABEL, member_ids[1], is_rare),
    ):
        if is_theirs:
            yield tables.card_assignees, {"card_id": card["id"], "member_id": member_id}
            yield tables.card_labels, {"card_id": card["id"], "label_id": label_id}
    if chance.random() < COMMENTED_SHARE:
        yield tables.comments, _comment(1_000_000 + number, card["id"])
    if chance.random() < TIMED_SHARE:
        yield tables.time_entries, _time_entry(1_000_000 + number, card["id"])


def _comment(number: int, card_id: str) -> Row:
    comment = {"id": f"cmt_{number:026d}", "board_id": BUSY_BOARD, "card_id": card_id, "author_id": ANN}
    return {**comment, "text": "Text", "search": "text"}


def _time_entry(number: int, card_id: str) -> Row:
    started_at = NOW - timedelta(days=300) + timedelta(minutes=number % 400_000)
    return {
        "id": f"ten_{number:026d}",
        "board_id": BUSY_BOARD,
        "card_id": card_id,
        "started_at": _format(started_at),
        "ended_at": _format(started_at + timedelta(minutes=25)),
        "rate_minor": 5_000,
        "user_id": ANN,
    }
