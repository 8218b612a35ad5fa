"""What schemathesis does not look for by itself, and the record of everything that was sent and answered."""

import base64
import json
import os
from typing import Any

import schemathesis

TRAFFIC_FILE = os.environ.get("FUZZ_TRAFFIC")
"""The file that takes one line of JSON for each request; none is kept without it."""


@schemathesis.deserializer("text/csv")
def read_table(context: object, response: Any) -> str:
    """Return a CSV table as text, which is how the document describes it."""
    del context
    text: str = response.content.decode()
    return text


_EMPTY_VALUES: tuple[Any, ...] = (None, "", 0, False, [])
_DEFAULT_VALUES = {"wip_enforcement": "warn"}
"""What a property has that nobody has set, where that is neither null nor empty."""


@schemathesis.check
def problem_status_is_the_status(ctx: Any, response: Any, case: Any) -> None:
    """Check that a problem document has the status of the response."""
    del ctx, case
    if "problem+json" in "".join(response.headers.get("content-type", [])):
        assert response.json()["status"] == response.status_code, "The problem names another status."


@schemathesis.check
def null_in_a_patch_clears(ctx: Any, response: Any, case: Any) -> None:
    """Check that null in a merge patch clears a property: it is null, or its empty or default value."""
    del ctx
    if case.method.upper() == "PATCH" and response.status_code == 200 and isinstance(case.body, dict):
        answered = response.json()
        cleared = [name for name, value in case.body.items() if value is None]
        kept = [
            name
            for name in cleared
            if answered.get(name) not in _EMPTY_VALUES and answered.get(name) != _DEFAULT_VALUES.get(name)
        ]
        assert not kept, f"Null left a value in {', '.join(kept)}."


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Any, response: Any) -> None:
    """Keep what was sent and what came back."""
    del context
    if not TRAFFIC_FILE:
        return
    request = response.request
    body = request.body or b""
    exchange = {
        "operation": case.operation.definition.raw["operationId"],
        "method": request.method,
        "url": request.url,
        "sent": base64.b64encode(body.encode() if isinstance(body, str) else body).decode(),
        "request_headers": dict(request.headers),
        "status": response.status_code,
        "headers": {name: ", ".join(values) for name, values in response.headers.items()},
        "body": base64.b64encode(response.content).decode(),
        "parameters": sorted({*(case.query or {}), *(case.headers or {}), *(case.path_parameters or {})}),
    }
    with open(TRAFFIC_FILE, "a", encoding="utf-8") as file:  # noqa: PTH123 - a line at a time, for every request.
        file.write(json.dumps(exchange) + "\n")
