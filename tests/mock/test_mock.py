"""The mock answers every operation of the document from its examples, and refuses what the API refuses."""

import json
from typing import Any

import pytest

from pipeline.bundle import Bundle, Operation
from pipeline.findings import BUNDLE
from pipeline.mock import mock
from tests.api.client import Answer, Client

DOCUMENT = BUNDLE.read_bytes()
CONTRACT = Bundle(json.loads(DOCUMENT))
FRONTEND = Client(mock(DOCUMENT), "any-token")


def send(operation: Operation, **headers: str) -> Answer:
    """A valid request, made of the document's own examples."""
    path, given = operation.path, dict(headers)
    for _, parameter in CONTRACT.parameters(operation):
        schema = CONTRACT.resolve(parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(schema["example"]))
        elif parameter.get("name") == "If-Match":
            given["If-Match"] = "*"
    return FRONTEND.request(operation.method.upper(), path, example_of(operation), headers=given)


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

    assert [send(operation, Prefer=f"code={status}").status for status in problems] == [int(each) for each in problems]


def test_an_example_can_be_asked_for_by_its_name() -> None:
    answer = FRONTEND.get("/boards/brd_01m7wjyxw0g21k7me9wgs7f9wj/cards", Prefer="example=more")

    assert answer.json["next_cursor"] is not None


def test_bad_input_is_refused_as_it_will_be() -> None:
    answer = FRONTEND.post("/boards", {"name": "Website", "colour": "red"})

    assert (answer.status, answer.json["code"]) == (400, "invalid_body")


def test_a_call_without_a_token_is_refused() -> None:
    assert FRONTEND.with_token(None).get("/boards").status == 401


def test_a_change_without_if_match_is_asked_to_be_conditional() -> None:
    assert FRONTEND.patch("/boards/brd_01m7wjyxw0g21k7me9wgs7f9wj", {"name": "Website"}).status == 428
