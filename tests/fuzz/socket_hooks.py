"""The same conditions for schemathesis at a server on a socket, told by FUZZ_HOST, FUZZ_PORT and FUZZ_TOKEN."""

import os
from itertools import count
from typing import Any

import schemathesis

from tests.fuzz import checks
from tests.fuzz.existing_data import ExistingData
from tests.soak.socket_client import SocketClient


def _no_application(*_: Any) -> Any:
    raise AssertionError("A client on a socket calls no application.")


ground = ExistingData(
    SocketClient(
        _no_application, os.environ["FUZZ_TOKEN"], host=os.environ["FUZZ_HOST"], port=int(os.environ["FUZZ_PORT"])
    )
)
valid_cases = count()
after_call = checks.after_call


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Let valid requests meet what exists, as in process."""
    del context, kwargs
    ground.prepare(case, valid_cases)
