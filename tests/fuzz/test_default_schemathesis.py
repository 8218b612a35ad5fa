"""schemathesis with its defaults: only the document's address, a token and a timeout, no hooks and no configuration.

What it may still find is what no schema can express. `make schemathesis` runs the same for longer, with EXAMPLES and
SEED.
"""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.live_server import LiveServer
from tools.openapi.bundle import Bundle
from tools.openapi.findings import BUNDLE

SEED = os.environ.get("SEED", "20261129")
EXAMPLES = os.environ.get("EXAMPLES", "1")
MIN_CASES = 5_000
MIN_OPERATIONS_THAT_SUCCEED = 50
"""Of 101. With a token that is revoked on the way, hardly any do."""

NEWER_TOKENS = 300
"""Tokens of the caller that are newer than the one that everything is sent with.

schemathesis finds ids in answers. A page has at most 100 tokens, newest first, so it finds, revokes and rotates these.
"""

ACCEPTANCE, HEADER = "positive_data_acceptance", "missing_required_header"

UNDOCUMENTABLE_REFUSALS = {
    (ACCEPTANCE, 400, "invalid_cursor"): "A cursor is sealed: it comes from the page before.",
    (ACCEPTANCE, 412, "precondition_failed"): "Which tag is the current one is known from an answer only.",
    (HEADER, 428, "precondition_required"): "RFC 6585 made 428 for a missing If-Match; the tool knows 400 only.",
    (ACCEPTANCE, 422, "idempotency_key_reused"): "A key is for one request; the tool uses one for many.",
    (ACCEPTANCE, 422, "unknown_reference"): "Which lists, labels and members are on a board is known from it only.",
    (ACCEPTANCE, 422, "self_reference"): "Nothing stands beside itself, and a card is on its own board already.",
    (ACCEPTANCE, 422, "ends_before_start"): "A schema compares no two dates.",
    (ACCEPTANCE, 422, "range_too_long"): "A schema subtracts no dates.",
    (ACCEPTANCE, 422, "time_entry_too_long"): "A schema subtracts no dates.",
    (ACCEPTANCE, 422, "in_future"): "A schema knows no clock.",
    (ACCEPTANCE, 422, "invalid_webhook_url"): "A pattern doesn't tell which addresses are public.",
    (ACCEPTANCE, 422, "seq_ahead"): "Which event is the last one is known from its board only.",
    (ACCEPTANCE, 422, "expires_in_past"): "A schema knows no clock.",
    (ACCEPTANCE, 422, "moment_out_of_range"): "With its offset, a moment of the year 2000 may lie in UTC before it.",
    (ACCEPTANCE, 422, "unknown_time_zone"): "The names of the IANA database are not a pattern.",
    (ACCEPTANCE, 422, "not_undoable"): "Whether an event has a way back depends on what it did.",
    (ACCEPTANCE, 422, "broken_export"): "A document that is made up doesn't have the digest of what is in it.",
    (ACCEPTANCE, 422, "no_lists_in_import"): "Trello's own exports may have no list; 422 says what is missing.",
}
"""By check, status and code: why no schema keeps a tool from it. Accepted where the operation names that code."""


class Finding(NamedTuple):
    """What schemathesis took for a failure."""

    check: str
    operation: str
    status: int
    code: str


def test_a_strangers_schemathesis_finds_only_what_no_schema_can_say(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        token = _create_caller(server)
        run = _run(server, token, tmp_path)
        # A token that ended on the way would have had all later requests refused.
        assert _request(server, token, "users/me")["id"]

    print(run.stdout)  # noqa: T201 - pytest -s shows what was sent and found.
    scenarios = list(_scenarios(tmp_path))
    unexpected = {finding for scenario in scenarios for finding in _findings(scenario)} - _accepted()
    assert unexpected == set(), run.stdout
    assert sum(len(scenario["cases"]) for scenario in scenarios) >= MIN_CASES
    successes = {label for scenario in scenarios for label in _successes(scenario)}
    assert len(successes) >= MIN_OPERATIONS_THAT_SUCCEED
    assert {label for label in successes if "token_id" in label} == {
        "DELETE /users/me/tokens/{token_id}",
        "POST /users/me/tokens/{token_id}/rotate",
    }


def test_operations_on_tokens_are_no_failures_either(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        assert server.token
        run = _run(server, server.token, tmp_path, "--include-tag", "tokens", "--phases", "examples,coverage")

    unexpected = {finding for scenario in _scenarios(tmp_path) for finding in _findings(scenario)} - _accepted()
    assert unexpected == set(), run.stdout
    assert re.search(r"Tested: +4\b", run.stdout), run.stdout


def _create_caller(server: LiveServer) -> str:
    """Create a user with newer tokens; return the oldest one.

    The user doesn't own the installation: an owner would find another one in answers, and then deactivate itself.
    """
    assert server.token
    token: str = _request(server, server.token, "users", {"name": "Caller"})["token"]
    for _ in range(NEWER_TOKENS):
        _request(server, token, "users/me/tokens", {"name": "Newer", "scopes": ["read"]})
    return token


def _request(server: LiveServer, token: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return what is at a path, or the response to a POST of a body."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}v1/{path}", content, headers)  # noqa: S310 - it is ours.
    with urllib.request.urlopen(request) as response:  # noqa: S310 - it is ours.
        return json.load(response)


def _run(server: LiveServer, token: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "run", f"{server.url}openapi.json", "-H", f"Authorization: Bearer {token}"]
    # A request with `wait` may be answered after 25 seconds.
    command += [
        "--request-timeout",
        "30",
        "--seed",
        SEED,
        "--max-examples",
        EXAMPLES,
        "--continue-on-failure",
        *arguments,
    ]
    command += ["--report-ndjson-path", str(folder / "report.ndjson")]
    # In an empty folder, where no configuration is found.
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    # 1 says that there are findings, which are looked at below; anything else is a run that went wrong.
    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert " errors" not in run.stdout.splitlines()[-1], run.stdout
    return run


def _scenarios(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the recorded requests of each operation or chain of links, with responses and checks."""
    for line in (folder / "report.ndjson").read_text().splitlines():
        event = json.loads(line)
        if recorder := event.get("ScenarioFinished", {}).get("recorder"):
            yield {"cases": {}, "checks": {}, "interactions": {}, **recorder}


def _findings(scenario: dict[str, Any]) -> Iterator[Finding]:
    for case_id, checks in scenario["checks"].items():
        for check in checks:
            if check["status"] == "failure":
                response = scenario["interactions"][case_id]["response"]
                yield Finding(check["name"], _label(scenario, case_id), response["status_code"], _code(response))


def _successes(scenario: dict[str, Any]) -> Iterator[str]:
    for case_id, interaction in scenario["interactions"].items():
        response = interaction.get("response")
        if response and response["status_code"] < 400:
            yield _label(scenario, case_id)


def _label(scenario: dict[str, Any], case_id: str) -> str:
    case = scenario["cases"][case_id]["value"]
    return f"{case['method']} {case['path']}"


def _code(response: dict[str, Any]) -> str:
    """Return the code of a problem, or the text of another response."""
    body = base64.b64decode((response.get("content") or {}).get("$base64", ""))
    try:
        return str(json.loads(body)["code"])
    except (ValueError, TypeError, KeyError):
        return repr(body[:100])


def _accepted() -> set[Finding]:
    bundle = Bundle(json.loads(BUNDLE.read_bytes()))
    accepted: set[Finding] = set()
    for operation in bundle.operations:
        for _, status, response in bundle.responses(operation):
            examples = response.get("content", {}).get("application/problem+json", {}).get("examples", {}).values()
            codes = {bundle.resolve(example)["value"]["code"] for example in examples}
            accepted |= {
                Finding(check, f"{operation.method.upper()} {operation.path}", int(status), code)
                for check, of_status, code in UNDOCUMENTABLE_REFUSALS
                if status == str(of_status) and code in codes
            }
    return accepted
