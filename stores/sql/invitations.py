"""Invitations in a SQL database, beside what commits write of them."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from kanban.values import Invitation
from kanban.views import Page, PageKey
from stores.paging import cut_page
from stores.sql import mapping
from stores.sql.engine import Engine
from stores.sql.statement_cache import BoundStatement, parameter
from stores.sql.tables import invitations

INVITATION = sa.select(invitations).where(invitations.c.id == parameter("invitation_id"))
INVITATIONS_TO_BOARD = (
    sa.select(invitations).where(invitations.c.board_id == parameter("board_id")).order_by(invitations.c.id)
)
INVITATIONS_TO_INSTALLATION = sa.select(invitations).where(invitations.c.board_id.is_(None)).order_by(invitations.c.id)
INVITATIONS_OF_USER = (
    sa.select(invitations)
    .where(invitations.c.invitee_id == parameter("user_id"), invitations.c.id < parameter("before_id"))
    .order_by(invitations.c.id.desc())
    .limit(parameter("limit"))
)

_BEYOND_ALL_IDS = "~"


class SqlInvitations:
    """A `kanban.invitation_store.InvitationStore` over an engine. Threads may share it."""

    def __init__(self, engine: Engine, bind: Callable[..., BoundStatement]) -> None:
        self._engine = engine
        self._bind = bind

    def read_invitation(self, invitation_id: str) -> Invitation | None:
        rows = self._read(INVITATION, invitation_id=invitation_id)
        return mapping.row_to_invitation(rows[0]) if rows else None

    def list_invitations(self, board_id: str | None) -> Sequence[Invitation]:
        rows = (
            self._read(INVITATIONS_TO_INSTALLATION)
            if board_id is None
            else self._read(INVITATIONS_TO_BOARD, board_id=board_id)
        )
        return [mapping.row_to_invitation(row) for row in rows]

    def page_invitations_of_user(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Invitation]:
        before_id = after[0] if after else _BEYOND_ALL_IDS
        rows = self._read(INVITATIONS_OF_USER, user_id=user_id, before_id=before_id, limit=limit + 1)
        return cut_page([mapping.row_to_invitation(row) for row in rows], limit, lambda invitation: invitation.id)

    def _read(self, statement: sa.Select[Any], **values: Any) -> list[mapping.Row]:
        return self._engine.read((self._bind(statement, **values),))[0]
