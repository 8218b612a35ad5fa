"""The port of the store for signing in."""

from collections.abc import Sequence
from typing import Protocol

from kanban.values import Identity, SignInCode


class SignInStore(Protocol):
    """Where sign-in codes and identities are read.

    They are written by commits, which erase each code once, and raise AlreadyExists for a second identity with the same
    issuer and subject ('identity.subject').
    """

    def read_code(self, digest: str) -> SignInCode | None:
        """Return the code of that digest, even if it has expired."""

    def list_codes(self, user_id: str) -> Sequence[SignInCode]:
        """Return the codes of a user, oldest first. Some may have expired: they are erased sooner or later."""

    def read_identity(self, issuer: str, subject: str) -> Identity | None:
        """Return the identity of that account."""

    def list_identities(self, user_id: str) -> Sequence[Identity]:
        """Return the identities of a user, oldest first."""
