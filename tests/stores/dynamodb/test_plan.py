"""The plan of a commit: which writes a change becomes, and what it means that one fails. No DynamoDB is needed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban.changes import Change
from kanban.ordering import ranks
from kanban.store import StoredResponse
from kanban.values import CardRank, Color, Entity, Event, Label, Member, Role, Scope, Token, User
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.board_items import counters_attribute, new_tip_item
from stores.dynamodb.card_items import part_to_item
from stores.dynamodb.conflicts import STALE, Conflict, ConflictKind, uniqueness_conflict
from stores.dynamodb.keys import Item
from stores.dynamodb.plan import Plan, plan
from stores.dynamodb.snapshots import BoardClaim, BoardSnapshot, CardClaim, Neighbours, Snapshot, TransferParts
from stores.dynamodb.writes import Delete, Put, Update, Write, conflict_of, estimate_bytes, to_transact_item
from tests.stores.dynamodb.plan_values import (
    ANN,
    EVE,
    NOON,
    NOW_MS,
    make_board,
    make_card,
    make_change,
    make_comment,
    make_list,
    make_member,
    make_snapshot,
)


def make_plan(change: Change, snapshot: Snapshot | None = None, response: StoredResponse | None = None) -> Plan:
    """Return the plan of a change that can be planned."""
    result = plan(change, response, snapshot or make_snapshot())
    assert isinstance(result, Plan)
    return result


def sort_keys(writes: Sequence[Write]) -> list[str]:
    return [write.key["sk"]["S"] for write in writes]


def write_at(result: Plan, sort_key: str) -> Write:
    """Return the write of the item with that sort key."""
    (write,) = (write for write in result.writes if write.key["sk"]["S"] == sort_key)
    return write


RESPONSE = StoredResponse("key", ANN, "createCard", "f", 201, (), b"{}", NOON, NOON + timedelta(hours=24))


# The order of the writes, and what proves them


def test_writes_are_in_the_order_in_which_their_failures_count() -> None:
    card = make_card(external_id="x", assignee_ids=(f"mem_{ANN}",))

    result = make_plan(make_change(card, creates=(make_comment(1),)), response=RESPONSE)

    assert sort_keys(result.writes) == [
        "I#createCard#key",
        "E#~",
        "C#crd_1",
        keys.assignment_key(ANN, "brd_1", "crd_1")["sk"]["S"],
        "X#x",
        "P#crd_1#Mcmt_001",
        f"E#{5:020d}",
    ]
    assert (result.board_ahead, result.parts_ahead, result.must_verify_parts) == (None, None, False)


def test_a_plan_depends_on_nothing_but_its_arguments() -> None:
    change, snapshot = make_change(make_card(external_id="x")), make_snapshot()

    first, second = (make_plan(change, snapshot, RESPONSE) for _ in range(2))

    requests = [[to_transact_item(write, "table") for write in result.writes] for result in (first, second)]
    assert requests[0] == requests[1]
    assert snapshot == make_snapshot()


def test_the_response_and_the_event_bear_the_nonce() -> None:
    result = make_plan(make_change(), response=RESPONSE)

    signed = [write.item for write in result.writes if isinstance(write, Put) and "nonce" in write.item]

    assert [item["nonce"] for item in signed] == [{"S": "n1"}] * 2
    assert result.nonce == "n1"


def test_a_known_idempotency_key_is_named() -> None:
    assert conflict_of(make_plan(make_change(), response=RESPONSE).writes[0], {}) == uniqueness_conflict(
        "idempotency_key"
    )


def test_a_change_of_nothing_has_no_writes() -> None:
    assert make_plan(Change()).writes == []


# The tip and the head


def tip_item(seq: int, **attributes: Item) -> Item:
    return new_tip_item("brd_1", seq, ()) | attributes


@pytest.mark.parametrize(
    ("item", "conflict"),
    [
        (None, STALE),
        (tip_item(5), STALE),
        (tip_item(4, held_until=to_number(NOW_MS + 70)), Conflict(ConflictKind.HELD, amount=70)),
        (tip_item(5, held_until=to_number(NOW_MS + 70)), STALE),
        (tip_item(4, held_until=to_number(NOW_MS)), STALE),
    ],
    ids=["erased", "written since", "held", "held and written since", "held before"],
)
def test_a_tip_that_cannot_be_written_says_why(item: Item | None, conflict: object) -> None:
    assert conflict_of(write_at(make_plan(make_change()), "E#~"), item) == conflict


@pytest.mark.parametrize(
    ("member", "fields"),
    [
        (make_member(role=Role.VIEWER), {}),
        (make_member(EVE), {}),
        (make_member(), {"deleted_at": NOON}),
    ],
    ids=["not an editor", "not a member", "deleted"],
)
def test_a_change_that_its_board_does_not_allow_is_stale_even_under_a_hold(
    member: Member, fields: dict[str, Any]
) -> None:
    snapshot = make_snapshot(member)
    assert snapshot.before
    before = BoardSnapshot(replace(snapshot.before.head, board=make_board(4, **fields)))

    tip = write_at(make_plan(make_change(), snapshot._replace(before=before)), "E#~")

    assert tip.condition.endswith("attribute_not_exists(#pk)")
    assert conflict_of(tip, tip_item(4, held_until=to_number(NOW_MS + 70))) == STALE


def test_a_board_that_comes_back_must_be_deleted() -> None:
    tip = write_at(make_plan(make_change(restores_board=True)), "E#~")

    assert tip.condition.endswith("attribute_not_exists(#pk)")


def test_a_member_who_leaves_needs_no_role() -> None:
    eve = make_member(EVE, Role.VIEWER)
    leaving = make_change(deletes=(eve,))
    change = replace(leaving, event=Event("brd_1", 5, "member.removed", NOON, EVE))

    result = make_plan(change, make_snapshot(make_member(), eve))

    item = tip_item(4, held_until=to_number(NOW_MS + 5))
    assert conflict_of(write_at(result, "E#~"), item) == Conflict(ConflictKind.HELD, amount=5)
    assert isinstance(write_at(result, "B#brd_1"), Delete)


def test_a_change_of_cards_writes_the_tip_alone_with_the_counters_that_change() -> None:
    counted = make_list(card_count=1, first_rank="a0", last_rank="a0")

    result = make_plan(make_change(counted, creates=(make_card(),)))

    tip = write_at(result, "E#~")
    assert sort_keys(result.writes) == ["E#~", "C#crd_1", f"E#{5:020d}"]
    assert isinstance(tip, Update)
    assert tip.expression == "SET #seq = :v3, #last = :v4, #counters.#n0 = :v5"
    assert tip.names["#n0"] == "lst_1"
    assert tip.values[":v5"] == counters_attribute(counted) == {"S": "1 a0 a0"}


HEAD_CHANGES: dict[str, Change] = {
    "the board": replace(make_change(), updates=(make_board(5, name="New"),)),
    "a list": make_change(make_list(name="New")),
    "the order of lists": make_change(make_list(rank="a1")),
    "a new list": make_change(creates=(make_list("lst_2"),)),
    "a deleted list": make_change(make_list(deleted_at=NOON)),
    "a new member": make_change(creates=(make_member(EVE),)),
    "a member": make_change(make_member(role=Role.EDITOR)),
    "a member who is removed": make_change(deletes=(make_member(),)),
    "a new label": make_change(creates=(Label("lbl_1", "brd_1", "Bug", Color.RED, 1, NOON, NOON),)),
}


@pytest.mark.parametrize("name", HEAD_CHANGES)
def test_a_change_of_the_head_writes_both_and_notes_in_both_when(name: str) -> None:
    result = make_plan(HEAD_CHANGES[name])

    tip, head = (write_at(result, sort_key) for sort_key in ("E#~", "E$"))
    assert result.writes.index(tip) < result.writes.index(head)
    for write in (tip, head):
        assert isinstance(write, Update)
        (placeholder,) = re.findall(r"#head_seq = (:v\d)", write.expression)
        assert write.values[placeholder] == to_number(5)
    assert (head.condition, head.values[":before"]) == ("#head_seq = :before", to_number(4))


def test_a_board_without_a_tip_gets_one_and_its_head_no_longer_has_what_is_there() -> None:
    snapshot = make_snapshot()
    assert snapshot.before
    before = BoardSnapshot(replace(snapshot.before.head, head_seq=None))

    result = make_plan(make_change(make_card()), snapshot._replace(before=before))

    head, tip = write_at(result, "E$"), write_at(result, "E#~")
    assert result.writes.index(head) < result.writes.index(tip)
    assert isinstance(head, Update)
    assert "#seq = :before" in head.condition
    assert head.expression.endswith("#seq, #last, #held_until, #rests_until")
    assert isinstance(tip, Put)
    assert tip.item == new_tip_item("brd_1", 5, (CardRank("crd_1", "lst_1", "a0"),))
    assert tip.condition == "attribute_not_exists(#pk)"
    held = {"seq": to_number(4), "held_until": to_number(NOW_MS + 70)}
    assert conflict_of(head, held) == Conflict(ConflictKind.HELD, amount=70)
    assert conflict_of(head, {"head_seq": to_number(5)}) == STALE


@pytest.mark.parametrize(
    ("created", "conflict"),
    [
        (make_member(), uniqueness_conflict("member")),
        (make_list(), uniqueness_conflict("list")),
        (make_list("lst_2"), STALE),
    ],
    ids=["member", "list", "nothing"],
)
def test_what_the_board_has_already_is_named(created: Entity, conflict: object) -> None:
    result = make_plan(make_change(creates=(created,)))

    assert conflict_of(write_at(result, "E#~"), tip_item(4)) == conflict


def test_a_list_that_is_not_there_makes_a_change_stale_whatever_the_tip_says() -> None:
    gone = make_list("lst_9", deleted_at=NOON)

    tip = write_at(make_plan(make_change(gone)), "E#~")

    assert tip.condition.endswith("attribute_not_exists(#pk)")
    assert conflict_of(tip, tip_item(4)) == STALE


def test_a_board_gives_its_external_id_up_and_claims_another() -> None:
    snapshot = make_snapshot()
    assert snapshot.before
    before = BoardSnapshot(replace(snapshot.before.head, board=make_board(4, external_id="old")))
    change = replace(make_change(), updates=(make_board(5, external_id="new"),))

    result = make_plan(change, snapshot._replace(before=before))

    assert isinstance(write_at(result, "X#old"), Delete)
    assert conflict_of(write_at(result, "X#new"), {"board_id": {"S": "brd_7"}}) == Conflict(
        ConflictKind.BOARD_ID_CLAIMED, "new", "brd_7"
    )


def test_a_claim_of_a_board_is_taken_over_while_that_board_stays_without_it() -> None:
    change = replace(make_change(), updates=(make_board(5, external_id="new"),))

    result = make_plan(change, make_snapshot(board_claim=BoardClaim("brd_7")))

    claim, check = result.writes[2:4]
    assert (type(check).__name__, check.key, check.values) == ("Check", keys.head_key("brd_7"), {":id": {"S": "new"}})
    assert claim.values[":claimant"] == {"S": "brd_7"}


# Cards


def test_a_claim_of_another_card_names_the_claimant() -> None:
    claim = write_at(make_plan(make_change(make_card(external_id="x"))), "X#x")

    assert conflict_of(claim, {"card_id": {"S": "crd_9"}}) == Conflict(ConflictKind.CARD_ID_CLAIMED, "x", "crd_9")


@pytest.mark.parametrize("is_in_deleted_list", [False, True])
def test_a_claim_is_taken_over_from_a_card_that_no_longer_has_it(is_in_deleted_list: bool) -> None:
    snapshot = make_snapshot(card_claims={"x": CardClaim("crd_9", is_in_deleted_list)})

    result = make_plan(make_change(make_card(external_id="x")), snapshot)

    assert write_at(result, "X#x").values[":claimant"] == {"S": "crd_9"}
    removed = [write for write in result.writes if isinstance(write, Update) and write.key["sk"]["S"] == "C#crd_9"]
    assert [write.expression for write in removed] == (["REMOVE #external_id"] if is_in_deleted_list else [])


def test_two_cards_of_one_change_cannot_have_the_same_external_id() -> None:
    change = make_change(creates=(make_card("crd_1", external_id="x"), make_card("crd_2", external_id="x")))

    assert plan(change, None, make_snapshot()) == uniqueness_conflict("card.external_id")


def test_a_card_leaves_the_assignments_of_those_who_are_no_longer_assigned() -> None:
    snapshot = make_snapshot()
    assert snapshot.before
    before = snapshot.before._replace(assignee_users={"crd_1": {"mem_gone": EVE, f"mem_{ANN}": ANN}})

    result = make_plan(make_change(make_card(assignee_ids=(f"mem_{ANN}",))), snapshot._replace(before=before))

    assignments = [write for write in result.writes if write.key["sk"]["S"].startswith("A#")]
    assert [(type(write).__name__, write.key["pk"]["S"]) for write in assignments] == [("Delete", f"U#{EVE}")]


def test_a_part_that_is_written_over_must_have_the_version_before() -> None:
    write = write_at(make_plan(make_change(replace(make_comment(1), version=3))), "P#crd_1#Mcmt_001")

    assert (write.condition, write.values) == ("#version = :before", {":before": {"N": "2"}})
    assert conflict_of(write, None) == STALE


def test_more_writes_than_a_transaction_takes_are_counted() -> None:
    change = make_change(creates=tuple(make_card(f"crd_{number}") for number in range(99)))

    assert plan(change, None, make_snapshot()) == Conflict(ConflictKind.TOO_LARGE, amount=101)


# Ranks


def make_rebalance(*, neighbour_count: int, creates: int = 0) -> tuple[Change, Snapshot]:
    """Return a change whose card has a long rank, in the middle of so many others."""
    list_ = make_list(first_rank="a0", last_rank="b00", card_count=neighbour_count + 1)
    card = make_card(rank="aV" + "0" * ranks.MAX_RANK_LENGTH + "1")
    others = tuple(make_comment(number) for number in range(creates))
    above = [CardRank(f"crd_a{number}", "lst_1", f"aU{number:02d}") for number in range(neighbour_count // 2)]
    below = [CardRank(f"crd_b{number}", "lst_1", f"aW{number:02d}") for number in range(neighbour_count // 2)]
    change = make_change(card, list_, creates=others, rebalance_list_id="lst_1")
    return change, make_snapshot(neighbours=Neighbours(above[::-1], below))


def test_a_rebalance_gives_the_neighbour_count_new_ranks_if_they_are_where_they_were() -> None:
    result = make_plan(*make_rebalance(neighbour_count=6))

    moved = result.writes[-6:]
    assert [conflict_of(write, None) for write in moved] == [Conflict(ConflictKind.RANKS_MOVED)] * 6
    card = write_at(result, "C#crd_1")
    assert isinstance(card, Put)
    assert len(card.item["rank"]["S"]) < 5


def test_a_rebalance_that_does_not_fit_is_left_out() -> None:
    result = make_plan(*make_rebalance(neighbour_count=60, creates=50))

    assert len(result.writes) == 53
    card = write_at(result, "C#crd_1")
    assert isinstance(card, Put)
    assert len(card.item["rank"]["S"]) > ranks.MAX_RANK_LENGTH


# Cards that move to another board


def make_transfer(count: int, **fields: Any) -> tuple[Change, Snapshot]:
    """Return a change that moves a card with so many comments from board 1 to board 2."""
    card = make_card(comment_count=count)
    parts = [part_to_item(make_comment(number)) for number in range(count)]
    copies = [part | {"pk": {"S": "B#brd_2"}} for part in parts]
    source = make_snapshot(seq=8).before
    assert source
    source = source._replace(assignee_users={"crd_1": {}})
    transfer = TransferParts(card, source, "brd_2", "2026-11-20T12:00:00Z", parts, copies, (), "lock", has_lock=False)
    departure = make_change(seq=9)
    assert departure.event
    departure = replace(departure, event=replace(departure.event, card_id="crd_1"))
    change = make_change(replace(card, board_id="brd_2"), board_id="brd_2", departure=departure)
    return change, make_snapshot(board_id="brd_2", transfer=transfer._replace(**fields))


def actions_on(result: Plan, board_id: str) -> Mapping[str, str]:
    """Return what is done to the items of a board, by sort key."""
    return {
        write.key["sk"]["S"]: type(write).__name__ for write in result.writes if write.key["pk"]["S"] == f"B#{board_id}"
    }


def test_a_card_takes_its_parts_along_in_one_transaction() -> None:
    result = make_plan(*make_transfer(2))

    target = {
        "E#~": "Update",
        "C#crd_1": "Put",
        f"E#{5:020d}": "Put",
        "P#crd_1#Mcmt_000": "Put",
        "P#crd_1#Mcmt_001": "Put",
        "N#crd_1": "Delete",
    }
    source = {
        "E#~": "Update",
        f"E#{9:020d}": "Put",
        "C#crd_1": "Delete",
        "P#crd_1#Mcmt_000": "Delete",
        "P#crd_1#Mcmt_001": "Delete",
    }
    assert (actions_on(result, "brd_2"), actions_on(result, "brd_1")) == (target, source)
    assert write_at(result, "N#crd_1").condition == "attribute_not_exists(#pk)"
    assert result.parts_ahead is None


def test_many_parts_are_written_ahead_under_a_lock_and_verified() -> None:
    result = make_plan(*make_transfer(120))

    assert result.parts_ahead is not None
    assert len(result.parts_ahead) == 120
    assert result.must_verify_parts
    assert len(result.writes) < 20
    assert write_at(result, "N#crd_1").values == {":nonce": {"S": "lock"}}
    tombstones = [write.key["sk"]["S"] for write in result.writes if write.key["pk"]["S"] == "D"]
    assert tombstones == [f"2026-11-20T12:00:00Z#parts#{board_id}#crd_1" for board_id in ("brd_2", "brd_1")]


def test_parts_are_written_ahead_once() -> None:
    result = make_plan(*make_transfer(120, has_lock=True, is_written_ahead=True))

    assert result.parts_ahead is None
    assert result.must_verify_parts


def test_a_lock_that_was_taken_over_is_released() -> None:
    result = make_plan(*make_transfer(1, has_lock=True))

    assert write_at(result, "N#crd_1").condition == "#nonce = :nonce"


def test_what_an_interrupted_move_left_is_deleted() -> None:
    orphan = part_to_item(make_comment(7)) | {"pk": {"S": "B#brd_2"}}

    result = make_plan(*make_transfer(1, orphans=[orphan]))

    assert actions_on(result, "brd_2")["P#crd_1#Mcmt_007"] == "Delete"


# New boards


def make_new_board(count: int, text: str = "Hm.", **fields: Any) -> Change:
    """Return a change that creates a board with one card that has so many comments."""
    comments = [make_comment(number, text) for number in range(count)]
    created: tuple[Entity, ...] = (make_board(1, **fields), make_list(), make_member(), make_card(), *comments)
    return Change(creates=created, event=Event("brd_1", 1, "board.created", NOON, ANN))


def test_a_small_board_is_created_in_one_transaction() -> None:
    result = make_plan(make_new_board(3), Snapshot(nonce="n1"))

    assert result.board_ahead is None
    assert conflict_of(result.writes[0], None) == uniqueness_conflict("board")


@pytest.mark.parametrize(
    "change", [make_new_board(120), make_new_board(20, "x" * 160_000)], ids=["many items", "long texts"]
)
def test_of_a_large_board_only_what_makes_it_visible_is_in_the_transaction(change: Change) -> None:
    result = make_plan(change, Snapshot(nonce="n1"), RESPONSE)

    assert sort_keys(result.writes) == [
        "I#createCard#key",
        "E$",
        "E#~",
        f"E#{1:020d}",
        "2026-11-20T12:00:00Z#new#brd_1",
    ]
    assert result.board_ahead
    assert len(result.board_ahead.items) == len(change.creates) - 2
    assert result.board_ahead.tombstone["users"] == {"L": [{"S": ANN}]}
    assert estimate_bytes(result.writes) < 10_000


def test_a_large_board_is_written_ahead_once() -> None:
    result = make_plan(make_new_board(120, external_id="x"), Snapshot(nonce="n2", is_written_ahead=True))

    assert result.board_ahead is None
    assert sort_keys(result.writes) == ["E$", "E#~", "X#x", f"E#{1:020d}", "2026-11-20T12:00:00Z#new#brd_1"]


def test_what_a_new_board_has_twice_is_named() -> None:
    change = make_new_board(0)
    twice = replace(change, creates=(*change.creates, make_list()))

    assert plan(twice, None, Snapshot()) == uniqueness_conflict("list")


# Users and tokens


def make_token(**fields: Any) -> Token:
    return replace(Token("tok_1", ANN, "Laptop", "new", (Scope.READ,), 2, NOON), **fields)


@pytest.mark.parametrize("may_create_owner", [False, True])
def test_the_first_user_becomes_the_owner(may_create_owner: bool) -> None:
    change = Change(creates=(User(ANN, "Ann", 1, NOON, NOON),))

    result = make_plan(change, Snapshot(nonce="n1", may_create_owner=may_create_owner))

    assert sort_keys(result.writes) == (["U", ANN, "owner"] if may_create_owner else ["U", ANN])
    assert conflict_of(result.writes[0], None) == uniqueness_conflict("user")
    if may_create_owner:
        assert conflict_of(result.writes[-1], None) == Conflict(ConflictKind.OWNER_EXISTS)


def test_a_rotated_token_is_no_longer_found_by_its_old_digest() -> None:
    change = Change(updates=(make_token(),))

    result = make_plan(change, Snapshot(nonce="n1", token_digests={"tok_1": "old"}))

    assert [(type(write).__name__, write.key["pk"]["S"]) for write in result.writes] == [
        ("Put", f"U#{ANN}"),
        ("Delete", "T#old"),
        ("Put", "T#new"),
    ]
    assert result.writes[0].values == {":before": {"N": "1"}}


def test_a_token_that_keeps_its_digest_is_one_write() -> None:
    assert len(make_plan(Change(updates=(make_token(),)), Snapshot(token_digests={"tok_1": "new"})).writes) == 1
