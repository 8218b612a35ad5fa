"""Reads of the installation's audit log."""

from datetime import datetime

from kanban.store import Store
from kanban.values import AuditEntry
from kanban.views import Page, PageKey

MAX_ENTRIES_LOOKED_AT = 1_000
"""Entries that one page looks at."""
_ENTRIES_PER_READ = 100


def page_entries(
    store: Store,
    now: datetime,
    *,
    user_id: str | None = None,
    entry_type: str | None = None,
    limit: int,
    after: PageKey | None = None,
) -> Page[AuditEntry]:
    """Return a page of entries that have not expired, newest first: those that concern the user and are of the type.

    It looks at MAX_ENTRIES_LOOKED_AT entries at most, so it may be empty while more follow.
    """

    def belongs(entry: AuditEntry) -> bool:
        return user_id in (None, entry.user_id) and entry_type in (None, entry.type) and now < entry.expires_at

    matching: list[AuditEntry] = []
    looked_at = 0
    while True:
        page = store.audit_log.page_entries(_ENTRIES_PER_READ, after)
        for number, entry in enumerate(page.items, 1):
            looked_at += 1
            if belongs(entry):
                matching.append(entry)
            has_more = page.next_key is not None or number < len(page.items)
            if has_more and (len(matching) == limit or looked_at == MAX_ENTRIES_LOOKED_AT):
                return Page(tuple(matching), (entry.id,))
        if page.next_key is None:
            return Page(tuple(matching))
        after = page.next_key
