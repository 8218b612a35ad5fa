"""The mock answers every operation of the document from its examples, and refuses what the API refuses."""

import json
from typing import Any

import pytest

from tests.api.client import Client, HttpResponse
from tools.openapi.bundle import Bundle, Operation
from tools.openapi.findings import BUNDLE
from tools.openapi.mock_server import create_mock

DOCUMENT = BUNDLE.read_bytes()
CONTRACT = Bundle(json.loads(DOCUMENT))
FRONTEND = Client(create_mock(DOCUMENT), "any-token")
BOARD = "/boards/brd_01m7wjyxw0g21k7me9wgs7f9wj"


def send(operation: Operation, **headers: str) -> HttpResponse:
    """Send a valid request made from the examples of the document."""
    path, parameters = operation.path, dict(headers)
    for _, parameter in CONTRACT.parameters(operation):
        schema = CONTRACT.resolve(parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(schema["example"]))
        elif parameter["name"] == "If-Match":
            parameters["If-Match"] = "*"
        elif parameter["in"] == "header" and parameter.get("required"):
            parameters[parameter["name"]] = str(schema["example"])
    return FRONTEND.request(operation.method.upper(), path, example_of(operation), headers=parameters)


def example_of(operation: Operation) -> Any:
    content = operation.node.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next(
        (CONTRACT.resolve(node)["value"] for node in content.get("examples", {}).values()), content.get("example")
    )


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.id)
def test_every_operation_answers_its_example(operation: Operation) -> None:
    success = next(status for _, status, _ in CONTRACT.responses(operation) if status.startswith("2"))

    assert send(operation).status == int(success)


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.id)
def test_every_documented_status_can_be_asked_for(operation: Operation) -> None:
    problems = [status for _, status, _ in CONTRACT.responses(operation) if int(status) >= 400]

    assert [send(operation, Prefer=f"code={status}").status for status in problems] == [int(code) for code in problems]


def test_an_example_can_be_asked_for_by_its_name() -> None:
    answer = FRONTEND.get(f"{BOARD}/cards", Prefer="example=more")

    assert answer.json["next_cursor"] is not None


def test_an_example_that_is_not_there_is_refused_as_a_status_is() -> None:
    answers = [FRONTEND.get(f"{BOARD}/cards", Prefer=preference) for preference in ("code=302", "example=most")]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(400, "invalid_header")] * 2
    assert answers[1].json["detail"].endswith("list_cards has all, more, deleted for 200.")


@pytest.mark.parametrize("embed", ["lists", "cards,labels", "lists,cards,labels,members"])
def test_a_board_embeds_what_it_is_asked_for(embed: str) -> None:
    alone = FRONTEND.get(BOARD).json

    whole = FRONTEND.get(f"{BOARD}?embed={embed}").json

    assert whole.keys() == alone.keys() | set(embed.split(","))


def test_an_example_that_is_named_goes_before_what_is_embedded() -> None:
    answer = FRONTEND.get(f"{BOARD}?embed=lists", Prefer="example=alone")

    assert "lists" not in answer.json


@pytest.mark.parametrize("path", ["cards", "time-report?from=2026-01-05&to=2026-01-06"])
def test_a_table_can_be_asked_for(path: str) -> None:
    answer = FRONTEND.get(f"{BOARD}/{path}", Accept="text/csv")

    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")


def test_an_import_may_be_as_large_as_it_will_be() -> None:
    export = {
        "id": "5f3c2a1b9d8e7f6a5b4c3d2e",
        "name": "Autumn release",
        "desc": "long " * 60_000,
        "lists": [],
        "cards": [],
    }

    assert FRONTEND.post("/imports/trello", export).status == 200


def test_a_page_of_another_origin_may_choose_its_answer() -> None:
    page = Client(create_mock(DOCUMENT, origins=["http://localhost:5173"]), "any-token")

    answer = page.request(
        "OPTIONS", BOARD, headers={"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    )

    assert "Prefer" in answer.headers["access-control-allow-headers"].split(", ")


def test_bad_input_is_refused_as_it_will_be() -> None:
    answer = FRONTEND.post("/boards", {"name": "Website", "colour": "red"})

    assert (answer.status, answer.json["code"]) == (400, "invalid_body")


def test_a_call_without_a_token_is_refused() -> None:
    assert FRONTEND.with_token(None).get("/boards").status == 401


def test_a_change_without_if_match_is_asked_to_be_conditional() -> None:
    assert FRONTEND.patch(BOARD, {"name": "Website"}).status == 428
