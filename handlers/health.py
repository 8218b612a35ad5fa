"""Health checks: liveness and readiness."""

from handlers.results import Result
from kanban.store import Store


def get_health() -> Result:
    """Report that the process runs, without using the store."""
    return Result({"status": "ok"})


def get_ready(store: Store) -> Result:
    """Report that the store is available. Raises Unavailable or Busy if it is not."""
    store.check_ready()
    return Result({"status": "ready"})
