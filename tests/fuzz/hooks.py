"""Puts the application behind schemathesis, in process, and gives it something to work on.

The command line loads this file (`hooks` in schemathesis.toml). FUZZ_STORE names the store that the test has made,
FUZZ_TOKEN the token that everything is sent with. No socket is opened: requests go to the ASGI side of the
application; the WSGI side is what all other tests go through.
"""

import logging
import os
from itertools import count
from typing import Any

import schemathesis

from app import create_app
from stores import open_store
from tests.api.client import Client
from tests.fuzz.ground import Ground

logging.getLogger("tackboard").setLevel(logging.CRITICAL)

application = create_app(open_store(os.environ["FUZZ_STORE"]), open_signup=True)
ground = Ground(Client(application, os.environ["FUZZ_TOKEN"]))
valid_cases = count()


@schemathesis.hook
def after_load_schema(context: schemathesis.HookContext, schema: Any) -> None:
    """Answer with the application itself."""
    del context
    schema.app = application.asgi


@schemathesis.deserializer("text/csv")
def read_table(context: object, response: Any) -> str:
    """A table as the document describes it: a text."""
    del context
    text: str = response.content.decode()
    return text


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let valid requests meet a board that exists.

    Ids, entity tags and cursors can't be guessed, so without this nearly every valid request would end in 404, 412
    or 400. Every second one gets what a client would have read before; the others stay as they were generated.
    """
    del context, kwargs
    if case.headers and case.headers.get("If-None-Match") == "0":
        # schemathesis fills the other headers of a case without Authorization with 0, adds Authorization
        # all the same, and then takes the request for a valid one.
        del case.headers["If-None-Match"]
    ground.keep_own_token(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    ground.forget_made_up_cursor(case)
    if case.meta.phase.name.value != "stateful" and next(valid_cases) % 2 == 0:
        ground.put_under(case)
