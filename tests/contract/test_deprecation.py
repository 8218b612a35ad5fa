"""Deprecated operations send Deprecation and Sunset."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from contract.operations import BadDocument
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import INTEGER, OBJECT, STRING, document, operation, parameter, response_object

DATES = {"x-tackboard-deprecated-since": "2027-01-01", "x-sunset": "2027-12-31"}
HEADERS = {name: {"required": True, "schema": STRING} for name in ("Deprecation", "Sunset")}


def deprecated_document(**fields: Any) -> dict[str, Any]:
    declared = {"200": response_object(OBJECT, headers=HEADERS)}
    operation_object = operation("get_thing", parameter("n", "query", INTEGER), responses=declared, **fields)
    return document({"/things": {"get": operation_object}})


def get_thing(n: int | None = None) -> Result:
    return Result({"n": n})


def test_a_deprecated_operation_sends_deprecation_and_sunset() -> None:
    client = serve(deprecated_document(deprecated=True, **DATES), {"get_thing": get_thing})

    response = client.get("/v1/things")

    assert response.status == 200
    assert response.header("deprecation") == "@1798761600"
    assert response.header("sunset") == "Fri, 31 Dec 2027 00:00:00 GMT"
    assert parsedate_to_datetime(response.header("sunset") or "").isoformat() == "2027-12-31T00:00:00+00:00"


def test_a_problem_without_declared_headers_is_sent_without_them() -> None:
    client = serve(deprecated_document(deprecated=True, **DATES), {"get_thing": get_thing})

    response = client.get("/v1/things?n=x")

    assert response.status == 400
    assert response.header("sunset") is None


@pytest.mark.parametrize(
    "dates",
    [{}, {"x-sunset": "2027-12-31"}, DATES | {"x-sunset": "2026-12-31"}, DATES | {"x-sunset": "soon"}],
)
def test_a_deprecation_without_two_ordered_dates_stops_the_start(dates: dict[str, str]) -> None:
    with pytest.raises(BadDocument, match="get_thing: is deprecated, and needs"):
        serve(deprecated_document(deprecated=True, **dates), {"get_thing": get_thing})
