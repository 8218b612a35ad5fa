"""The port of the store for signing in."""

from collections.abc import Sequence
from typing import Protocol

from kanban.values import SignInCode


class SignInStore(Protocol):
    """Where sign-in codes are read. They are written by commits, which erase each code once."""

    def read_code(self, digest: str) -> SignInCode | None:
        """Return the code of that digest, even if it has expired."""

    def list_codes(self, user_id: str) -> Sequence[SignInCode]:
        """Return the codes of a user, oldest first. Some may have expired: they are erased sooner or later."""
