"""Event streams: pages of a feed as messages, only where the server can send them, and checked like any response."""

from types import SimpleNamespace
from typing import Any

import pytest

from contract.request_context import start_request_context
from contract.wsgi_application import WsgiApplication
from tests.contract.client import TOKEN
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import INTEGER, document, object_schema, operation, problems, response_object

PAGE = object_schema({"items": {"type": "array", "items": object_schema({"seq": INTEGER}, "seq")}}, "items")
POSITION = SimpleNamespace(board_id="brd_1", seq=2, last_seq=2, has_news=True, has_more=False, wait_seconds=0)
STREAM = {"authorization": f"Bearer {TOKEN}", "accept": "text/event-stream"}


def _answer(result: Result, *, can_stream: bool = True, breaches: int = 0) -> Any:
    page = response_object(PAGE, headers={"X-Accel-Buffering": {"schema": {"type": "string"}}})
    page["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    operation_object = operation("get_things", responses={"200": page, **problems(401, 406, 500)})
    client = serve(document({"/things": {"get": operation_object}}), {"get_things": lambda: result})
    start_request_context().can_stream = can_stream
    assert isinstance(client.application, WsgiApplication)
    response = client.application.edge.answer("GET", "/v1/things", "", STREAM, None)
    assert len(client.breaches) == breaches
    client.breaches.clear()
    return response


def test_each_item_is_a_message_with_its_seq_as_id() -> None:
    response = _answer(Result({"items": [{"seq": 1}, {"seq": 2}]}, feed_position=POSITION))

    assert response.body == b'id: 1\ndata: {"seq":1}\n\nid: 2\ndata: {"seq":2}\n\n'
    assert dict(response.headers)["content-type"] == "text/event-stream; charset=utf-8"
    assert (response.is_stream, response.feed_position) == (True, POSITION)


def test_a_page_that_breaks_its_schema_is_not_sent_as_a_stream() -> None:
    assert _answer(Result({"items": [{"seq": "one"}]}, feed_position=POSITION), breaches=1).status == 500


@pytest.mark.parametrize(("position", "can_stream"), [(None, True), (POSITION, False)])
def test_what_can_not_go_on_is_no_stream(position: Any, *, can_stream: bool) -> None:
    response = _answer(Result({"items": []}, feed_position=position), can_stream=can_stream)

    assert (response.status, response.code) == (406, "not_acceptable")
