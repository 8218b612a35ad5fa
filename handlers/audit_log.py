"""The audit log of the installation."""

from datetime import datetime

from handlers import serialize
from handlers.dependencies import CursorEncoder
from handlers.results import Result, page
from kanban import installation
from kanban.access import Caller, ensure_may_manage_users
from kanban.store import Store
from kanban.views import PageKey
from usecases import audit_log


def list_audit_entries(
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    limit: int,
    user_id: str | None = None,
    type: str | None = None,  # noqa: A002 - the parameter's name in the document.
    cursor: PageKey | None = None,
) -> Result:
    """Read the audit log, newest first."""
    owner_ids = store.read_installation_owner_ids()
    ensure_may_manage_users(caller)
    installation.ensure_owner(caller.user_id, owner_ids, "read the audit log")
    entries = audit_log.page_entries(store, now, user_id=user_id, entry_type=type, limit=limit, after=cursor)
    return page(map(serialize.audit_entry, entries.items), encode_cursor(entries.next_key))
