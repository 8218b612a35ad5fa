"""Map errors of the domain and of the store to problem documents."""

import logging
from collections.abc import Mapping
from math import ceil

from contract.problems import Problem, authentication_required
from contract.violations import Violation
from kanban.errors import (
    Conflict,
    DomainError,
    ExternalIdTaken,
    Forbidden,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
    Unprocessable,
)
from kanban.store import Busy, Unavailable
from kanban.undo import UndoBlocked
from kanban.users import BoardsWithoutOwner

STATUS_BY_ERROR: dict[type[DomainError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Unprocessable: 422}
"""The HTTP status of each kind of error. A class that is not a key has the status of its nearest parent."""

log = logging.getLogger("tackboard")


def to_problem(error: Exception) -> Problem | None:
    """Return the problem document of a known error; None for any other, which is a defect."""
    if isinstance(error, Unavailable):
        log.error("The store is unavailable: %s", error)
        return Problem(503, "busy", "The store can't be reached: try again in a moment.", headers={"Retry-After": "5"})
    if isinstance(error, Busy):
        return Problem(503, "busy", "Too much at once: try again in a moment.", headers={"Retry-After": "1"})
    if isinstance(error, Unauthenticated):
        return authentication_required(error.message, error.code)
    if isinstance(error, TooManyAttempts):
        headers = {"Retry-After": str(ceil(error.wait_seconds))}
        return Problem(429, error.code, error.message, headers=headers)
    if not isinstance(error, DomainError):
        return None
    status = next(STATUS_BY_ERROR[parent] for parent in type(error).__mro__ if parent in STATUS_BY_ERROR)
    field = getattr(error, "field", None)
    violations = [Violation(f"/{field}", error.code, error.message)] if field else []
    return Problem(status, error.code, error.message, violations=violations, members=_build_members(error))


def _build_members(error: DomainError) -> Mapping[str, str | int | list[str]]:
    """Return what only problems of that code have."""
    if isinstance(error, ExternalIdTaken) and error.holder_id is not None:
        return {f"{error.kind}_id": error.holder_id}
    if isinstance(error, UndoBlocked) and error.blocking_seq is not None:
        return {"blocking_seq": error.blocking_seq}
    if isinstance(error, BoardsWithoutOwner):
        return {"board_ids": error.board_ids}
    return {}
