"""Where the audit log is read."""

from typing import Protocol

from kanban.values import AuditEntry
from kanban.views import Page, PageKey


class AuditLogStore(Protocol):
    """Where the audit log is read. Its entries are written by commits, and erased some time after they expire."""

    def page_entries(self, limit: int, after: PageKey | None = None) -> Page[AuditEntry]:
        """Read entries, newest first. Some may have expired."""
