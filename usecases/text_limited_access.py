"""Board access for operations that add text, where the text of a user's boards has a quota."""

from enum import StrEnum
from typing import Any

from kanban.views import BoardView
from usecases.board_access import BoardAccess
from usecases.text_counts import TextCounts


class AddedText(StrEnum):
    """Which text an operation adds to a board, as the document says it."""

    SENT = "sent"
    """What the request has, to the board of the path."""
    COPIED = "copied"
    """What the board of the path has already, to the same board."""
    MOVED = "moved"
    """What the board of the path has, to the board that the body names."""


class TextLimitedAccess(BoardAccess):
    """An access that opens a board only if there is room for text.

    It raises TooManyBytes if the boards of its creator hold too much. A board that its creator has left counts for
    nobody.
    """

    __slots__ = ("_added_bytes", "_added_text", "_counts")

    def __init__(self, *access: Any, counts: TextCounts, added_text: AddedText, body_bytes: int) -> None:
        """Take what a `BoardAccess` takes, and the length of the body."""
        super().__init__(*access)
        self._counts = counts
        self._added_text = added_text
        self._added_bytes = body_bytes if added_text is AddedText.SENT else None

    def read_referenced_board(self, board_id: str, field: str = "board_id") -> BoardView:
        """Return a board that the body names, as any access does; text that is moved there must find room."""
        view = super().read_referenced_board(board_id, field)
        if self._added_text is AddedText.MOVED:
            self._ensure_room(view)
        return view

    def _require_role(self, view: BoardView | None) -> BoardView:
        required = super()._require_role(view)
        if self._added_text is not AddedText.MOVED:
            self._ensure_room(required)
        return required

    def _ensure_room(self, view: BoardView) -> None:
        if view.has_member(view.board.created_by):
            self._counts.ensure_room(view.board.created_by, self._added_bytes)
