"""Health: whether the process is up, and whether it can answer."""

from handlers.answers import Answer
from kanban.store import Store


def get_health() -> Answer:
    """Say that the process runs. No input, no output, no store."""
    return Answer({"status": "ok"})


def get_ready(store: Store) -> Answer:
    """Say that the store answers; raises Busy when it doesn't."""
    store.check_ready()
    return Answer({"status": "ready"})
