"""Messages name the thing and the number, and every code belongs to one error."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import kanban
from kanban.access import RoleTooLow, ScopeMissing
from kanban.cards import WrongStage
from kanban.errors import (
    DomainError,
    ExternalIdTaken,
    IdTaken,
    LimitReached,
    NotFound,
    UnknownReference,
    conflict_for_duplicate,
)
from kanban.lists import ListNotEmpty
from kanban.ordering.list_capacity import WipLimitReached


def walk_subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from walk_subclasses(subclass)


def test_a_message_names_the_thing_and_the_number() -> None:
    assert WipLimitReached("Doing", 3).message == "List 'Doing' is full: its WIP limit is 3."
    assert (
        WrongStage("Copy", "todo", "in_progress").message
        == "Card 'Copy' is not on the todo stage: it is on in_progress."
    )
    assert ListNotEmpty("Doing", 1).message == "List 'Doing' holds 1 card: its stage can change only while it is empty."


@pytest.mark.parametrize(
    ("things", "maximum", "holder_name", "code", "message"),
    [
        ("lists", 100, None, "too_many_lists", "This board has 100 lists, the most a board may have."),
        ("members", 100, None, "too_many_members", "This board has 100 members, the most a board may have."),
        ("labels", 200, None, "too_many_labels", "This board has 200 labels, the most a board may have."),
        ("cards", 5000, "Doing", "too_many_cards", "List 'Doing' holds 5000 cards, the most a list may hold."),
        ("assignees", 40, "Copy", "too_many_assignees", "Card 'Copy' has 40 assignees, the most a card may have."),
        ("checklists", 20, "Copy", "too_many_checklists", "Card 'Copy' has 20 checklists, the most a card may have."),
        ("comments", 1000, "Copy", "too_many_comments", "Card 'Copy' has 1000 comments, the most a card may have."),
        ("items", 100, "Steps", "too_many_items", "Checklist 'Steps' has 100 items, the most a checklist may have."),
    ],
)
def test_a_limit_that_is_reached_has_a_code_and_a_message_of_its_own(
    things: str, maximum: int, holder_name: str | None, code: str, message: str
) -> None:
    error = LimitReached(things, maximum, holder_name=holder_name)

    assert (error.code, error.message) == (code, message)


def test_a_long_name_is_shortened_in_a_message() -> None:
    message = WrongStage("x" * 500, "todo", "done").message

    assert len(message) < 120
    assert "…'" in message


def test_not_found_has_a_code_for_each_kind() -> None:
    assert {NotFound(kind).code for kind in ("board", "list", "card")} == {
        "board_not_found",
        "list_not_found",
        "card_not_found",
    }


def test_a_duplicate_becomes_a_conflict() -> None:
    assert isinstance(conflict_for_duplicate("user"), IdTaken)
    assert isinstance(conflict_for_duplicate("card.external_id"), ExternalIdTaken)
    assert conflict_for_duplicate("list.external_id").message == "Another list on this board has this external_id."


def test_an_unknown_reference_names_its_field_and_not_its_value() -> None:
    error = UnknownReference("before")

    assert error.field == "before"
    assert "'before'" in error.message


def test_every_code_belongs_to_one_error() -> None:
    for module in pkgutil.walk_packages(kanban.__path__, "kanban."):
        importlib.import_module(module.name)
    kinds = [kind for kind in walk_subclasses(DomainError) if "code" in vars(kind)]
    codes = [kind.code for kind in kinds] + [f"too_many_{things}" for things in LimitReached.HOLDERS]

    assert len(set(codes)) == len(codes)
    assert RoleTooLow("viewer", "editor").code == "role_too_low"
    assert ScopeMissing("read").code == "scope_missing"


EXAMPLES = {"str": "a word", "int": 7, "datetime": datetime(2026, 11, 20, 12, tzinfo=UTC), "bool": True}


def build_error(kind: type[DomainError]) -> DomainError:
    """Build an error of that kind from an example of each argument that it takes."""
    parameters = [*inspect.signature(kind).parameters.values()]
    arguments: list[Any] = [
        "lists" if kind is LimitReached and parameter.name == "things" else EXAMPLES[_name_type(parameter.annotation)]
        for parameter in parameters
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return kind(*arguments)


def _name_type(annotation: object) -> str:
    name = getattr(annotation, "__name__", None) or str(annotation).split(" |")[0].rpartition(".")[2]
    return name if name in EXAMPLES else "str"


def test_every_error_says_what_happened_in_whole_sentences() -> None:
    for module in pkgutil.walk_packages(kanban.__path__, "kanban."):
        importlib.import_module(module.name)
    kinds = [kind for kind in walk_subclasses(DomainError) if "__init__" in vars(kind)]

    messages = {kind.__name__: build_error(kind).message for kind in kinds}

    assert len(kinds) > 30
    assert not [name for name, message in messages.items() if len(message) < 20 and message != "a word"]


@pytest.mark.parametrize(("count", "things"), [(0, "archived cards"), (1, "1 card"), (2, "2 cards")])
def test_a_list_that_is_not_empty_says_what_it_holds(count: int, things: str) -> None:
    assert f"holds {things}:" in ListNotEmpty("Doing", count).message
