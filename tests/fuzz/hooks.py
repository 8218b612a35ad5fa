"""Puts the application behind schemathesis, in process, and gives it something to work on.

The command line loads this file (`hooks` in schemathesis.toml). FUZZ_STORE names the store that the test has made,
FUZZ_TOKEN the token that everything is sent with. No socket is opened: requests go to the WSGI
application.
"""

import logging
import os
from itertools import count
from typing import Any

import schemathesis

from app.factory import create_app
from stores import open_store
from tests.api.client import Client
from tests.fuzz import checks
from tests.fuzz.existing_data import ExistingData

logging.getLogger("tackboard").setLevel(logging.CRITICAL)

application = create_app(open_store(os.environ["FUZZ_STORE"]), open_signup=True)
existing_data = ExistingData(Client(application, os.environ["FUZZ_TOKEN"]))
valid_cases = count()
after_call = checks.after_call


@schemathesis.hook
def after_load_schema(context: schemathesis.HookContext, schema: Any) -> None:
    """Answer with the application itself."""
    del context
    schema.app = application


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let valid requests meet a board that exists."""
    del context, kwargs
    existing_data.prepare(case, valid_cases)
