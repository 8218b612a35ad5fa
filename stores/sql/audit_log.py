"""The audit log in a SQL database, beside what commits write of it."""

from collections.abc import Callable

import sqlalchemy as sa

from kanban.values import AuditEntry
from kanban.views import Page, PageKey
from stores.paging import cut_page
from stores.sql import mapping
from stores.sql.engine import Engine
from stores.sql.statement_cache import BoundStatement, parameter
from stores.sql.tables import audit_entries

ENTRIES = (
    sa.select(audit_entries)
    .where(audit_entries.c.id < parameter("before"))
    .order_by(audit_entries.c.id.desc())
    .limit(parameter("limit"))
)

_AFTER_ALL_IDS = "~"


class SqlAuditLog:
    """A `kanban.audit_log_store.AuditLogStore` over an engine. Threads may share it."""

    def __init__(self, engine: Engine, bind: Callable[..., BoundStatement]) -> None:
        self._engine = engine
        self._bind = bind

    def page_entries(self, limit: int, after: PageKey | None = None) -> Page[AuditEntry]:
        before = after[0] if after else _AFTER_ALL_IDS
        rows = self._engine.read((self._bind(ENTRIES, before=before, limit=limit + 1),))[0]
        return cut_page([mapping.row_to_audit_entry(row) for row in rows], limit, lambda entry: entry.id)
