"""The contenders that run in the product's environment: the product as it is deployed, and the work without layers."""

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.benchmarks.scene import Event, Handler, Scene, to_rest_event


def lambda_function(scene: Scene) -> Handler:
    """Load the function as Lambda does, with its log line for each request, and return its handler."""
    os.environ["STORE_URL"] = scene.store_url
    # The function prints its lines to whatever stdout is when it does.
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - it stays open until the process ends.
    from lambda_wsgi_handler import handler  # noqa: PLC0415 - it opens the store when it is imported.

    return lambda event: handler(event, None)


def by_serverless_wsgi(scene: Scene) -> Handler:
    """Return the same handler for events of a REST API, which go through serverless-wsgi and WSGI."""
    handle = lambda_function(scene)
    return lambda event: handle(to_rest_event(event))


def work_alone(scene: Scene, open_work: Callable[[Scene], Any]) -> Handler:
    """Return the work behind a contender, without HTTP, JSON and document: what comes on top are its layers."""
    work, authorization = open_work(scene), f"Bearer {scene.token}"

    def handle(event: Event) -> Event:
        caller = work.find_caller(authorization)
        if event["requestContext"]["http"]["method"] == "POST":
            body = json.loads(base64.b64decode(event["body"]))
            if not body["title"]:
                return {"statusCode": 400}
            work.create_card(caller, scene.board_id, body)
            return {"statusCode": 201}
        if event["rawPath"].endswith("/cards"):
            work.list_cards(caller, scene.board_id, 50, "created_at")
        else:
            work.get_card(caller, scene.board_id, scene.card_ids[-1])
        return {"statusCode": 200}

    return handle
