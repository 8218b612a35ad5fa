"""The port of the store for invitations."""

from collections.abc import Sequence
from typing import Protocol

from kanban.values import Invitation
from kanban.views import Page, PageKey


class InvitationStore(Protocol):
    """Where invitations are read. They are written by commits."""

    def read_invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation to a board or to the installation, even if it has expired."""

    def list_invitations(self, board_id: str | None) -> Sequence[Invitation]:
        """Return the invitations to a board, or to no board, oldest first.

        Some may have expired: they are erased sooner or later.
        """

    def page_invitations_of_user(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Invitation]:
        """Return a page of the invitations that are for a user, newest first.

        Some may have expired. A page may be shorter than the limit while more follow.
        """
