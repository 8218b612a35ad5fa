"""An operation without a body accepts none, or {}. It rejects any other body, because it would ignore it."""

import json
from typing import Any

import pytest

from app.document import DOCUMENT_PATH
from contract.wsgi_application import WsgiApplication
from tests.api.client import Client
from tests.contract.adapter_twin import build_function
from tests.contract.aws_events import http_api_event
from tools.openapi.bundle import Bundle, Operation

BUNDLE = Bundle(json.loads(DOCUMENT_PATH.read_bytes()))
WITHOUT_BODY = [
    pytest.param(operation, id=operation.id) for operation in BUNDLE.operations if "requestBody" not in operation.node
]
NOTHING = (b"", b"{}", b" { } ", b"\n{\t}")
SOMETHING = {
    b'{"list_id":"lst_x"}': "invalid_body",
    b"null": "invalid_body",
    b"[]": "invalid_body",
    b'""': "invalid_body",
    b"0": "invalid_body",
    b"false": "invalid_body",
    b'{"a":': "malformed_json",
    b"{}{}": "malformed_json",
    b" ": "malformed_json",
    b"list_id=lst_x": "malformed_json",
    b"\x1f\x8b\x08\x00": "malformed_json",
    b"[" * 1_500: "malformed_json",
    b'{"a":' * 1_000 + b"1" + b"}" * 1_000: "malformed_json",
}


def build_url(operation: Operation) -> str:
    """Return a URL of the operation, with the examples of its parameters."""
    path, query = operation.path, []
    for _, parameter in BUNDLE.parameters(operation):
        example = parameter.get("example", BUNDLE.resolve(parameter["schema"]).get("example"))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(example))
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{parameter['name']}={example}".replace("+", "%2B"))
    return path + ("?" + "&".join(query) if query else "")


def build_headers(operation: Operation) -> dict[str, str]:
    """Return the headers that the operation requires, with the examples of its parameters."""
    return {
        parameter["name"]: str(parameter.get("example", BUNDLE.resolve(parameter["schema"]).get("example")))
        for _, parameter in BUNDLE.parameters(operation)
        if parameter["in"] == "header" and parameter.get("required")
    }


@pytest.mark.parametrize("operation", WITHOUT_BODY)
def test_no_body_and_an_empty_object_are_the_same(operation: Operation, mina: Client) -> None:
    headers = build_headers(operation)
    bare = mina.request(operation.method.upper(), build_url(operation), headers=headers)

    for raw in NOTHING:
        response = mina.request(operation.method.upper(), build_url(operation), raw=raw, headers=headers)
        assert response.status in {bare.status, 404, 401}
        assert response.status != 400


@pytest.mark.parametrize("operation", WITHOUT_BODY)
def test_any_other_body_is_rejected(operation: Operation, mina: Client) -> None:
    for raw, code in SOMETHING.items():
        response = mina.request(operation.method.upper(), build_url(operation), raw=raw)

        assert (response.status, response.json["code"]) == (400, code), raw[:40]
        assert len(response.raw) < 1_000
        assert b"lst_x" not in response.raw


@pytest.mark.parametrize("operation", WITHOUT_BODY)
def test_lambda_rejects_the_same_bodies(operation: Operation, mina: Client, application: WsgiApplication) -> None:
    invoke = build_function(application)
    headers = {"Authorization": f"Bearer {mina.token}"}

    for raw, code in SOMETHING.items():
        event = http_api_event(operation.method.upper(), f"/v1{build_url(operation)}", raw, headers)
        response: Any = invoke(event, None)

        assert response["statusCode"] == 400, raw[:40]
        assert json.loads(response["body"])["code"] == code


def test_head_with_a_body_is_rejected(mina: Client) -> None:
    assert mina.request("HEAD", "/boards", raw=b'{"a":1}').status == 400
    assert mina.request("HEAD", "/boards", raw=b"{}").status == 200


def test_a_missing_token_is_reported_before_the_body(anonymous: Client) -> None:
    assert anonymous.request("GET", "/boards", raw=b'{"a":').json["code"] == "unauthenticated"


def test_a_rejected_command_has_no_effect(mina: Client) -> None:
    board = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    card = f"{board}/cards/{mina.post(f'{board}/cards', {'title': 'Write the copy'}).json['id']}"

    rejected = mina.request("POST", f"{card}/start", raw=b'{"list_id":')

    assert rejected.status == 400
    assert "takes no body" in rejected.json["detail"]
    assert mina.get(card).json["status"] == "todo"
    assert mina.post(f"{card}/start", {}).json["status"] == "in_progress"
