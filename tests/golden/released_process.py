"""A process of any release: it answers requests, one JSON document a line, from the store that STORE_URL names.

It stands alone, like `maker.py`, so that the code of a release can run it. It needs `create_app` and `open_store`.
"""

import io
import json
import os
import sys
from contextlib import closing
from typing import Any

from stores import open_store

try:
    from app.factory import create_app
except ModuleNotFoundError:
    from app import create_app  # type: ignore[attr-defined, no-redef]


def answer(application: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the status and the body of the answer to a request."""
    path, _, query = request["path"].partition("?")
    content = b"" if request.get("body") is None else json.dumps(request["body"]).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/v1{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": "application/json" if content else "",
        "HTTP_ACCEPT": "application/json",
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request["headers"].items()}
    statuses: list[str] = []

    def start_response(status: str, _headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        statuses.append(status)

    body = b"".join(application(environ, start_response))
    return {"status": int(statuses[-1][:3]), "json": json.loads(body) if body else None}


def write(document: dict[str, Any]) -> None:
    """Write a document in a line of its own."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer until there are no more requests. The first line says that the store is open, or why not."""
    try:
        store = open_store(os.environ["STORE_URL"])
    except Exception as error:  # noqa: BLE001  (each release has its own)
        write({"error": str(error)})
        return
    with closing(store):
        application = create_app(store, open_signup=True)
        write({"error": None})
        for line in sys.stdin:
            write(answer(application, json.loads(line)))


if __name__ == "__main__":
    main()
