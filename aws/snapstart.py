"""SnapStart: Lambda takes a snapshot of the started process, and restores it many times.

All restored processes share the state of the snapshot. So it must hold no connections, and a random generator that was
seeded before it must be seeded again. Ids, tokens and secrets need nothing: they come from the kernel (os.urandom).
"""

import random
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from contract.request_context import get_request_context

_clients: list[Any] = []


def register_client(client: Any) -> None:
    """Remember a client of the store, to close its connections, and count the calls that it sends."""
    _clients.append(client)
    client.add_listener(_count_call)


def register_snapshot_hooks(prepare: Callable[[], None]) -> None:
    """Register the functions that Lambda calls before a snapshot and after a restore. Elsewhere, do nothing.

    `prepare` is called before a snapshot, to do what every restored process would do.
    """
    if find_spec("snapshot_restore_py"):
        runtime = import_module("snapshot_restore_py")
        runtime.register_before_snapshot(prepare)
        runtime.register_before_snapshot(close_connections)
        runtime.register_after_restore(reseed_random)


def close_connections() -> None:
    """Close the connections of all clients. The next call opens a new one."""
    for client in _clients:
        client.close()


def reseed_random() -> None:
    """Seed the random generator again: restored processes would otherwise retry at the same times."""
    random.seed()


def _count_call(*_: Any) -> None:
    get_request_context().store_calls += 1
