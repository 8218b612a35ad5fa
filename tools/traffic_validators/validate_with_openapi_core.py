"""Validate recorded traffic with openapi-core: every response must match the document, and every successful request.

`validate_with_openapi_core.py openapi.json traffic.jsonl` prints each violation, and how many exchanges were validated.
"""

import base64
import json
import sys
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict


class RecordedRequest:
    """A recorded request in the form that openapi-core expects."""

    def __init__(self, exchange: dict[str, Any]) -> None:
        address = urlsplit(exchange["url"])
        self.host_url = f"{address.scheme}://{address.netloc}"
        self.path = address.path
        self.method = exchange["method"].lower()
        self.body = base64.b64decode(exchange["sent"]) or None
        headers = Headers(exchange["request_headers"])
        self.content_type = headers.get("Content-Type", "application/json")
        query = ImmutableMultiDict(parse_qsl(address.query, keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=headers)


class RecordedResponse:
    """A recorded response in the form that openapi-core expects."""

    def __init__(self, exchange: dict[str, Any]) -> None:
        self.status_code = exchange["status"]
        self.data = base64.b64decode(exchange["body"])
        self.headers = Headers(exchange["headers"])
        self.content_type = self.headers.get("Content-Type", "")


def main(document: str, traffic: str) -> int:
    """Validate the traffic. Return the exit status: 1 if anything doesn't match."""
    readers = dict.fromkeys(("application/problem+json", "application/merge-patch+json"), json.loads)
    settings = Config(extra_media_type_deserializers=readers)
    api = OpenAPI.from_dict(json.loads(Path(document).read_bytes()), config=settings)
    validated, skipped = 0, 0
    counts: Counter[tuple[str, int, str]] = Counter()
    for line in Path(traffic).read_text().splitlines():
        exchange = json.loads(line)
        request, response = RecordedRequest(exchange), RecordedResponse(exchange)
        if exchange["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
            skipped += 1  # The document has no operation for it, so there is nothing to validate.
            continue
        validated += 1
        try:
            api.validate_response(request, response)
            if exchange["status"] < HTTPStatus.MULTIPLE_CHOICES:
                api.validate_request(request)
        except OpenAPIError as error:
            why = f"{type(error).__name__}: {str(error)[:120]} / {str(error.__cause__)[:200]}"
            counts[exchange["operation"], exchange["status"], why] += 1
    for (operation, status, why), count in counts.most_common(40):
        print(f"{operation} {status}, {count} times: {why}")
    total = counts.total()
    print(f"openapi-core: {validated} exchanges validated, {total} violations, {skipped} without an operation")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
