"""SnapStart: the process is frozen when it is ready, and thawed many times over.

What is frozen is shared by all that are thawed. So no connection is in it, and what draws from a generator seeded at
the start is seeded anew. Ids, tokens and secrets need nothing: they come from the kernel (os.urandom) when they are
made.
"""

import random
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from contract.request_context import increment_request_context

_clients: list[Any] = []


def register_client(client: Any) -> None:
    """Keep the SDK's client, to close its connections, and count the calls that it sends."""
    _clients.append(client)
    client.meta.events.register("before-send", _count_call)


def register_snapshot_hooks() -> None:
    """Have Lambda call before a snapshot and after each restore; elsewhere nothing happens."""
    if find_spec("snapshot_restore_py"):
        runtime = import_module("snapshot_restore_py")
        runtime.register_before_snapshot(close_connections)
        runtime.register_after_restore(reseed_random)


def close_connections() -> None:
    """Close the connections; the next call opens its own."""
    for client in _clients:
        client.close()


def reseed_random() -> None:
    """Make unique what was frozen: the chances by which retries avoid each other."""
    random.seed()


def _count_call(**_: Any) -> None:
    increment_request_context("store_calls")
