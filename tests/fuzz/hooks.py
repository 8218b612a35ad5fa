"""Gives schemathesis something to work on.

The command line loads this file (`hooks` in schemathesis.toml). FUZZ_HOST and FUZZ_PORT name the server, FUZZ_TOKEN the
token that everything is sent with.
"""

import os
from itertools import count
from typing import Any

import schemathesis

from tests.fuzz import checks
from tests.fuzz.existing_data import ExistingData
from tests.soak.socket_client import SocketClient


def _no_application(*_: Any) -> Any:
    raise AssertionError("A client on a socket calls no application.")


existing_data = ExistingData(
    SocketClient(
        _no_application, os.environ["FUZZ_TOKEN"], host=os.environ["FUZZ_HOST"], port=int(os.environ["FUZZ_PORT"])
    )
)
valid_cases = count()
after_call = checks.after_call


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let valid requests meet a board that exists."""
    del context, kwargs
    existing_data.prepare(case, valid_cases)
