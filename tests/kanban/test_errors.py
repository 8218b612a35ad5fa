"""Refusals name the thing and the number, and every code is its own."""

from kanban import errors
from kanban.errors import (
    DomainError,
    ExternalIdTaken,
    IdTaken,
    ListNotEmpty,
    NotFound,
    RoleTooLow,
    ScopeMissing,
    TooManyCards,
    UnknownReference,
    WipLimitReached,
    WrongStage,
    conflict_for_duplicate,
)


def test_sentences_name_the_thing_and_the_number() -> None:
    assert WipLimitReached("Doing", 3).message == "List 'Doing' is full: its WIP limit is 3."
    assert (
        WrongStage("Copy", "todo", "in_progress").message
        == "Card 'Copy' is not on the todo stage: it is on in_progress."
    )
    assert ListNotEmpty("Doing", 1).message == "List 'Doing' holds 1 card: its stage can change only while it is empty."
    assert TooManyCards("Doing", 5000).message == "List 'Doing' holds 5000 cards, the most a list may hold."


def test_a_long_name_is_cut_in_a_sentence() -> None:
    message = WrongStage("x" * 500, "todo", "done").message

    assert len(message) < 120
    assert "…'" in message


def test_not_found_is_a_code_for_each_kind() -> None:
    assert {NotFound(kind).code for kind in ("board", "list", "card")} == {
        "board_not_found",
        "list_not_found",
        "card_not_found",
    }


def test_what_exists_already_becomes_a_refusal() -> None:
    assert isinstance(conflict_for_duplicate("user"), IdTaken)
    assert isinstance(conflict_for_duplicate("card.external_id"), ExternalIdTaken)
    assert conflict_for_duplicate("list.external_id").message == "Another list on this board has this external_id."


def test_an_unknown_reference_names_its_field_and_not_what_it_held() -> None:
    error = UnknownReference("before")

    assert error.field == "before"
    assert "'before'" in error.message


def test_every_code_is_used_once() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, DomainError) and "code" in vars(kind)
    ]

    assert len({kind.code for kind in kinds}) == len(kinds)
    assert RoleTooLow("viewer", "editor").code == "role_too_low"
    assert ScopeMissing("read").code == "scope_missing"
