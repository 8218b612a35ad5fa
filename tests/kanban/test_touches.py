"""What a commit touched, as its event records it."""

from dataclasses import replace

import pytest

from kanban import archive, boards, cards, lists
from kanban.changes import Change, build_change, record_touches
from kanban.field_changes import format_changes
from kanban.touches import Touch, TouchKind, format_touches, parse_touches
from kanban.values import Card, CardRank, Event, NewBoard, NewCard
from tests.kanban.fake_store import FakeStore

K = TouchKind


def touches_of(change: Change | None) -> set[Touch]:
    """Return what the event of a change records."""
    assert change is not None
    assert change.event is not None
    touches = parse_touches(change.event)
    assert touches is not None
    assert len(set(touches)) == len(touches)
    return set(touches)


def make_event(**fields: str | None) -> Event:
    return Event("brd_1", 2, "test.written", FakeStore().now, "usr_ann", **fields)  # type: ignore[arg-type]  # ids


@pytest.mark.parametrize(
    ("touches", "words"),
    [
        ((), ""),
        ((Touch(K.CARD, "crd_1"),), "c."),
        ((Touch(K.CARD, "crd_2"), Touch(K.LIST, "lst_1"), Touch(K.LIST, "lst_2")), "ccrd_2 l: llst_2"),
        ((Touch(K.CHECKLIST, "chk_1", "crd_1"), Touch(K.COMMENT, "cmt_1", "crd_2")), "k./chk_1 ncrd_2/cmt_1"),
        (
            (Touch(K.CARD, "crd_2"), Touch(K.CHECKLIST, "chk_1", "crd_2"), Touch(K.CHECKLIST, "chk_2", "crd_2")),
            "ccrd_2 k^/chk_1 k^/chk_2",
        ),
        ((Touch(K.CARD_WITH_PARTS, "crd_1"), Touch(K.RANKS_OF_LIST, "lst_1")), "p. r:"),
        ((Touch(K.MEMBER, "mina"), Touch(K.FORMER_MEMBER, "omar"), Touch(K.LABEL, "lbl_1")), "mmina xomar blbl_1"),
        ((Touch(K.BOARD),), "w"),
    ],
)
def test_touches_are_words_of_an_event(touches: tuple[Touch, ...], words: str) -> None:
    event = make_event(card_id="crd_1", list_id="lst_1")

    assert format_touches(touches, event.card_id, event.list_id) == words
    assert parse_touches(replace(event, touches=words)) == touches


def test_an_event_of_before_recorded_nothing() -> None:
    assert parse_touches(make_event()) is None


def add_card(store: FakeStore) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard("Card"))
    store.apply(change)
    return card


def test_a_moved_card_touches_itself_and_both_lists(store: FakeStore) -> None:
    card = add_card(store)
    todo, doing, _ = store.view().lists
    _, change = cards.move(store.view(card.id), card.id, store.context, list_id=doing.id)

    assert touches_of(change) == {Touch(K.CARD, card.id), Touch(K.LIST, todo.id), Touch(K.LIST, doing.id)}


def test_a_card_that_becomes_visible_is_touched_with_its_parts(store: FakeStore) -> None:
    card = add_card(store)
    store.apply(cards.delete(store.view(card.id), card.id, store.context))
    _, change = archive.restore_card(store.view_deleted(cards=[card.id]), card.id, store.context)

    assert touches_of(change) == {Touch(K.CARD_WITH_PARTS, card.id), Touch(K.LIST, card.list_id)}


def test_a_list_that_becomes_visible_touches_the_board_unless_it_never_had_a_card(store: FakeStore) -> None:
    card = add_card(store)
    done = store.get_list("Done")
    for list_id in (card.list_id, done.id):
        store.apply(lists.delete(store.view(), list_id, store.context))
    changes = [
        archive.restore_list(store.view_deleted(lists=[list_id]), list_id, store.context)[1]
        for list_id in (card.list_id, done.id)
    ]

    assert [*map(touches_of, changes)] == [{Touch(K.BOARD)}, {Touch(K.LIST, done.id)}]


def test_a_new_board_touches_the_board(store: FakeStore) -> None:
    _, change = boards.create(store.context, NewBoard("New"))

    assert touches_of(record_touches(change)) == {Touch(K.BOARD)}


def test_ranks_and_memberships_that_ended_are_touched(store: FakeStore) -> None:
    view = store.view()
    (member,) = view.members
    change = build_change(
        view,
        store.context,
        "test.written",
        deletes=(member,),
        card_ranks=(CardRank("crd_1", "lst_1", "a1"),),
        rebalance_list_id="lst_1",
    )

    assert touches_of(change) == {
        Touch(K.FORMER_MEMBER, member.user_id),
        Touch(K.CARD, "crd_1"),
        Touch(K.RANKS_OF_LIST, "lst_1"),
    }


def test_values_make_room_for_what_an_event_touches(store: FakeStore) -> None:
    card = add_card(store)
    view = store.view(card.id)
    new = replace(card, title="t" * 200, description="ß" * 200, external_id="x" * 190)
    ranks = tuple(CardRank(f"crd_{number:026d}", card.list_id, "a1") for number in range(9))

    alone, crowded = (
        build_change(view, store.context, "card.updated", updates=(new,), subject=(card, new), card_ranks=card_ranks)
        for card_ranks in ((), ranks)
    )

    assert alone.event is not None
    assert crowded.event is not None
    assert len(format_changes(crowded.event.changes)) < len(format_changes(alone.event.changes))


def test_a_departure_records_what_it_touches_on_its_own_board(store: FakeStore) -> None:
    card = add_card(store)
    departure = build_change(store.view(), store.context, "card.departed", card_id=card.id)
    arrival = build_change(store.view(), store.context, "card.arrived", updates=(card,), card_id=card.id)

    change = record_touches(replace(arrival, departure=departure))

    assert touches_of(change) == {Touch(K.CARD_WITH_PARTS, card.id)}
    assert touches_of(change.departure) == {Touch(K.CARD, card.id)}
