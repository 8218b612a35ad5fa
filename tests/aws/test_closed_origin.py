"""Only requests that the distribution has sent are answered, and they say where they come from."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.factory import create_app
from aws.closed_origin import HEADER, ClosedOrigin
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.scheduled_purge import PURGE_EVENT
from infrastructure.deployment.package_build import ROOT
from stores import open_store
from tests.contract.aws_events import EVENT_BUILDERS, http_api_event

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)
SECRETS = ("first-secret-of-48-characters", "second-secret-of-48-characters")
CLOUDFRONT = "192.0.2.1"
"""The address of the peer in the events of the tests."""

Ask = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Return a function that sends a request, and returns the response and the line in the log."""
    lines: list[bytes] = []
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        records = RequestRecorder("test", lambda: NOW, lambda: 0.0, lines.append)
        function = Function(
            create_app(store, clock=lambda: NOW),
            Deadline(),
            records,
            lambda: {"done": True},
            origin=ClosedOrigin(SECRETS),
        )

        def send(build: Any = http_api_event, event: Any = None, **headers: str) -> Any:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            response = function(event or build("GET", "/v1/health", None, sent), SimpleNamespace())
            return response, json.loads(lines[-1]) if lines else {}

        yield send


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("build", EVENT_BUILDERS.values(), ids=EVENT_BUILDERS)
def test_a_request_with_either_secret_is_answered(ask: Ask, build: Any, secret: str) -> None:
    response, _ = ask(build, **{HEADER: secret})

    assert response["statusCode"] == 200


@pytest.mark.parametrize(
    "headers", [{}, {HEADER: ""}, {HEADER: "guess"}, {HEADER: SECRETS[0][:-1]}, {HEADER: "sécret"}]
)
@pytest.mark.parametrize("build", EVENT_BUILDERS.values(), ids=EVENT_BUILDERS)
def test_any_other_request_is_refused_as_the_gateway_does_it(ask: Ask, build: Any, headers: dict[str, str]) -> None:
    response, line = ask(build, **headers)

    assert (response["statusCode"], response["body"]) == (403, '{"message":"Forbidden"}')
    assert (line["status"], line["Operation"], line["Refusals"]) == (403, "none", 1)


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        (f"203.0.113.7, {CLOUDFRONT}", "203.0.113.7"),
        (f"198.51.100.1, 203.0.113.7, {CLOUDFRONT}", "203.0.113.7"),
        (f"2001:db8::7,{CLOUDFRONT}", "2001:db8::7"),
        ("203.0.113.7", "203.0.113.7"),
        (CLOUDFRONT, CLOUDFRONT),
    ],
)
def test_the_log_has_the_address_that_cloudfront_has_seen(ask: Ask, forwarded_for: str, address: str) -> None:
    _, line = ask(**{HEADER: SECRETS[0], "X-Forwarded-For": forwarded_for})

    assert line["address"] == address


def test_a_request_that_is_refused_has_the_address_of_its_peer(ask: Ask) -> None:
    _, line = ask(**{"X-Forwarded-For": f"203.0.113.7, {CLOUDFRONT}"})

    assert line["address"] == CLOUDFRONT


def test_the_schedule_needs_no_secret(ask: Ask) -> None:
    assert ask(event=PURGE_EVENT)[0] == {"done": True}


def test_the_distribution_sends_the_header_that_is_asked_for() -> None:
    assert f"HeaderName: {HEADER}\n" in (ROOT / "infrastructure" / "resources" / "site.yml").read_text()
