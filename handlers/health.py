"""Health: whether the process is up, and whether it can answer."""

from handlers.results import Result
from kanban.store import Store


def get_health() -> Result:
    """Say that the process runs. No input, no output, no store."""
    return Result({"status": "ok"})


def get_ready(store: Store) -> Result:
    """Say that the store answers; raises Busy when it doesn't."""
    store.check_ready()
    return Result({"status": "ready"})
