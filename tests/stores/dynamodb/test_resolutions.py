"""The table of conflicts: what each asks for."""

from collections.abc import Sequence
from typing import cast

import pytest

from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, StaleRead, StoreError
from stores.dynamodb.board_items import BoardHead, head_from_items, new_head_item, new_tip_item
from stores.dynamodb.card_items import card_to_item
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.conflicts import STALE, Conflict, ConflictKind, uniqueness_conflict
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.resolutions import RESOLUTIONS, Attempt, TooLarge, resolve
from stores.dynamodb.snapshots import BoardClaim, CardClaim, Neighbours, Snapshot
from tests.stores.dynamodb.plan_values import NOON, make_board, make_card, make_change, make_list, make_member


class FakeReader:
    """A reader that returns the same head and the same item whatever is read, and notes the keys."""

    def __init__(self, head: BoardHead | None = None, item: Item | None = None) -> None:
        self.head = head
        self.item = item
        self.sort_keys: list[str] = []

    def get_with_head(self, _: str, item_keys: Sequence[Item]) -> tuple[BoardHead | None, list[Item | None]]:
        """Return the head and the item."""
        self.sort_keys += [key["sk"]["S"] for key in item_keys]
        return self.head, [self.item]

    def get_item(self, key: Item) -> Item | None:
        """Return the item."""
        self.sort_keys.append(key["pk"]["S"])
        return self.item


class FakeClient:
    """A client that sleeps in no time, for up to so many seconds."""

    def __init__(self, max_seconds: float = 5.0) -> None:
        self.max_seconds = max_seconds
        self.slept: list[float] = []

    def jitter(self, seconds: float) -> float:
        """Return all of that time."""
        return seconds

    def sleep(self, seconds: float, _: float, error: Busy) -> None:
        """Note that the store slept."""
        if seconds > self.max_seconds:
            raise error
        self.slept.append(seconds)


SNAPSHOT = Snapshot(may_create_owner=True, neighbours=Neighbours((), ()))


def resolve_conflict(
    conflict: Conflict,
    reader: FakeReader | None = None,
    client: FakeClient | None = None,
    change: Change | None = None,
) -> Snapshot | StoreError:
    attempt = Attempt(
        cast("RetryingClient", client or FakeClient()),
        cast("TableReader", reader or FakeReader()),
        make_change() if change is None else change,
        SNAPSHOT,
        0.0,
    )
    return resolve(attempt, conflict)


def head_at(seq: int) -> BoardHead:
    item = new_head_item(make_board(seq), (make_list(),), (make_member(),), ())
    head = head_from_items(item, new_tip_item("brd_1", seq, ()))
    assert head
    return head


def test_every_conflict_has_its_row() -> None:
    assert set(RESOLUTIONS) == set(ConflictKind)


def test_a_stale_change_is_decided_again_by_the_caller() -> None:
    assert isinstance(resolve_conflict(STALE), StaleRead)


def test_what_is_taken_is_reported_by_its_name() -> None:
    error = resolve_conflict(uniqueness_conflict("token.digest"))

    assert isinstance(error, AlreadyExists)
    assert error.constraint == "token.digest"


def test_a_change_that_is_too_large_is_reported_with_its_size() -> None:
    error = resolve_conflict(Conflict(ConflictKind.TOO_LARGE, amount=117))

    assert isinstance(error, TooLarge)
    assert str(error) == "DynamoDB writes at most 100 items at once, not 117."


def test_a_user_who_is_not_the_first_is_created_without_becoming_owner() -> None:
    assert resolve_conflict(Conflict(ConflictKind.OWNER_EXISTS)) == SNAPSHOT._replace(may_create_owner=False)


def test_ranks_that_moved_are_left_as_they_are() -> None:
    assert resolve_conflict(Conflict(ConflictKind.RANKS_MOVED)) == SNAPSHOT._replace(neighbours=None)


def test_a_held_board_is_written_after_the_hold_with_the_same_snapshot() -> None:
    client = FakeClient()

    assert resolve_conflict(Conflict(ConflictKind.HELD, amount=300), client=client) == SNAPSHOT
    assert client.slept == [0.325]


def test_a_hold_that_lasts_too_long_makes_the_store_busy() -> None:
    with pytest.raises(Busy, match="Readers hold the board"):
        resolve_conflict(Conflict(ConflictKind.HELD, amount=300), client=FakeClient(0.1))


@pytest.mark.parametrize(
    ("claimant", "is_in_deleted_list"),
    [
        (None, False),
        (make_card("crd_9", external_id=None), False),
        (make_card("crd_9", external_id="y"), False),
        (make_card("crd_9", external_id="x", deleted_at=NOON), False),
        (make_card("crd_9", external_id="x", list_id="lst_gone"), True),
    ],
    ids=["erased", "without an id", "with another id", "deleted", "in a deleted list"],
)
def test_the_claim_of_a_card_that_no_longer_has_the_id_is_taken_over(
    claimant: object,
    is_in_deleted_list: bool,
) -> None:
    item = card_to_item(claimant, {}) if claimant else None  # type: ignore[arg-type]
    reader = FakeReader(head_at(4), item)

    snapshot = resolve_conflict(Conflict(ConflictKind.CARD_ID_CLAIMED, "x", "crd_9"), reader)

    assert snapshot == SNAPSHOT._replace(card_claims={"x": CardClaim("crd_9", is_in_deleted_list)})
    assert reader.sort_keys == ["C#crd_9"]


def test_an_id_that_another_card_has_is_taken() -> None:
    reader = FakeReader(head_at(4), card_to_item(make_card("crd_9", external_id="x"), {}))

    error = resolve_conflict(Conflict(ConflictKind.CARD_ID_CLAIMED, "x", "crd_9"), reader)

    assert isinstance(error, AlreadyExists)
    assert error.constraint == "card.external_id"


@pytest.mark.parametrize("head", [None, head_at(5)], ids=["no board", "a newer board"])
def test_a_claim_is_not_judged_by_a_board_that_has_changed(head: BoardHead | None) -> None:
    assert isinstance(
        resolve_conflict(Conflict(ConflictKind.CARD_ID_CLAIMED, "x", "crd_9"), FakeReader(head)), StaleRead
    )


def test_a_claim_needs_a_board() -> None:
    assert isinstance(
        resolve_conflict(Conflict(ConflictKind.CARD_ID_CLAIMED, "x", "crd_9"), change=Change()), StaleRead
    )


@pytest.mark.parametrize(
    "fields",
    [None, {"external_id": "y"}, {"external_id": "x", "deleted_at": NOON}],
    ids=["erased", "with another id", "deleted"],
)
def test_the_claim_of_a_board_that_no_longer_has_the_id_is_taken_over(fields: dict[str, object] | None) -> None:
    item = None if fields is None else new_head_item(make_board(7, "brd_9", **fields), (), (), ())
    reader = FakeReader(item=item)

    snapshot = resolve_conflict(Conflict(ConflictKind.BOARD_ID_CLAIMED, "x", "brd_9"), reader)

    assert snapshot == SNAPSHOT._replace(board_claim=BoardClaim("brd_9"))
    assert reader.sort_keys == ["B#brd_9"]


def test_an_id_that_another_board_has_is_taken() -> None:
    item = new_head_item(make_board(7, "brd_9", external_id="x"), (), (), ())

    error = resolve_conflict(Conflict(ConflictKind.BOARD_ID_CLAIMED, "x", "brd_9"), FakeReader(item=item))

    assert isinstance(error, AlreadyExists)
    assert error.constraint == "board.external_id"
