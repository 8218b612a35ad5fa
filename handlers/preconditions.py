"""Ensure that a client has seen what it changes, and say what happened since if it hasn't."""

from collections.abc import Mapping
from typing import Any

from handlers import serialize
from handlers.dependencies import IfMatch
from kanban.field_changes import Subject
from kanban.views import BoardView
from usecases.board_access import BoardAccess
from usecases.version_history import read_later_changes


def ensure_current(if_match: IfMatch, access: BoardAccess, view: BoardView, subject: Subject) -> None:
    """Ensure that If-Match names the version of something on a board. Otherwise the problem says what changed since."""

    def describe_changes(version: int) -> Mapping[str, Any]:
        events = read_later_changes(access, view, subject, version)
        return {} if events is None else {"later_changes": [serialize.later_change(event) for event in events]}

    if_match.ensure_matches(subject.version, describe_changes)
