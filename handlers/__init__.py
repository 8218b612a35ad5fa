"""Handlers: one plain function per operationId.

A handler takes parameters of the document (`board_id`, `body`, `limit`) and dependencies by name (`dependencies`). It
parses the body (`parse`), reads, lets `kanban` decide, and returns the serialized value (`serialize`) with the change
to commit (`results`). It writes nothing, catches no errors and knows no status of an error.
"""

from collections.abc import Callable
from types import ModuleType

from handlers import (
    archive,
    audit_log,
    boards,
    bots,
    cards,
    changes,
    checklists,
    comments,
    copies,
    events,
    exports,
    health,
    identities,
    imports,
    invitations,
    jobs,
    labels,
    lists,
    members,
    ordering,
    reports,
    sessions,
    time_entries,
    tokens,
    users,
    webhooks,
)
from handlers.results import Result

_MODULES: tuple[ModuleType, ...] = (
    health,
    users,
    tokens,
    bots,
    sessions,
    identities,
    audit_log,
    jobs,
    boards,
    exports,
    imports,
    members,
    invitations,
    labels,
    lists,
    cards,
    checklists,
    comments,
    time_entries,
    reports,
    archive,
    ordering,
    copies,
    events,
    changes,
    webhooks,
)


def functions_by_operation_id() -> dict[str, Callable[..., Result]]:
    """Return every handler by operationId: the public functions that the modules define themselves."""
    return {
        name: function
        for module in _MODULES
        for name, function in vars(module).items()
        if callable(function) and not name.startswith("_") and getattr(function, "__module__", "") == module.__name__
    }
