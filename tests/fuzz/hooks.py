"""Puts the application behind schemathesis, in process: no socket is opened.

The command line loads this file (`hooks` in schemathesis.toml). FUZZ_STORE names the store that the test has made.
"""

import logging
import os
from typing import Any

import schemathesis

from app import create_app
from stores import open_store

logging.getLogger("tackboard").setLevel(logging.CRITICAL)


@schemathesis.hook
def after_load_schema(context: schemathesis.HookContext, schema: Any) -> None:
    """Answer with the application itself, at its ASGI side: the WSGI one is what all other tests go through."""
    del context
    schema.app = create_app(open_store(os.environ["FUZZ_STORE"]), open_signup=True).asgi
