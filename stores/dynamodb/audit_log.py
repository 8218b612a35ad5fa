"""The audit log in a table, beside what commits write of it.

DynamoDB erases expired entries by itself.
"""

import json
from collections.abc import Callable, Iterator
from itertools import islice

from kanban.changes import Change
from kanban.values import AuditEntry
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import compile_reader, compile_writer, to_number
from stores.dynamodb.changes import of_type
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.writes import Put, Write
from stores.paging import cut_page

_AFTER_ALL_IDS = "~"

audit_entry_from_item: Callable[[Item], AuditEntry] = compile_reader(
    AuditEntry, ("item",), {"id": "item['sk']['S']", "data": "json.loads(item['data']['S'])"}, {"json": json}
)
"""Return the entry in an item."""

_entry_attributes: Callable[[AuditEntry], Item] = compile_writer(
    AuditEntry, ("id",), {"data": "{'S': json.dumps(dict(value.data), ensure_ascii=False)}"}, {"json": json}
)


class DynamoAuditLog:
    """A `kanban.audit_log_store.AuditLogStore` in a table. Threads may share it."""

    def __init__(self, reader: TableReader) -> None:
        self._reader = reader

    def page_entries(self, limit: int, after: PageKey | None = None) -> Page[AuditEntry]:
        last = keys.key_before(str(after[0])) if after else _AFTER_ALL_IDS
        items = self._reader.query(keys.AUDIT_PARTITION, " ", last, page_size=limit + 1, backwards=True)
        return cut_page([*map(audit_entry_from_item, islice(items, limit + 1))], limit, lambda entry: entry.id)


def write_audit_entries(change: Change) -> Iterator[Write]:
    """Yield the writes of the audit log's entries in a change. Their ids are new, so none of them can fail."""
    for entry in of_type(AuditEntry, change.creates):
        yield Put(audit_entry_to_item(entry), is_final=True)


def audit_entry_to_item(entry: AuditEntry) -> Item:
    """Return the item of an entry. DynamoDB erases it some time after `expires`."""
    expiry = {"expires": to_number(int(entry.expires_at.timestamp()))}
    return keys.audit_entry_key(entry.id) | _entry_attributes(entry) | expiry
