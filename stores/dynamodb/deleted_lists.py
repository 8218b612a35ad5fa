"""The deleted lists of a board, which stand apart from its head until they come back or are purged."""

from datetime import datetime

from kanban.values import List
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_timestamp
from stores.dynamodb.board_items import list_from_attributes
from stores.dynamodb.listings import MAX_PAGE_READS
from stores.dynamodb.reads import TableReader
from stores.paging import cut_page


def page_deleted_lists(
    reader: TableReader, board_id: str, deleted_since: datetime, limit: int, after: PageKey | None
) -> Page[List]:
    """The lists that were deleted since that moment, newest first."""
    found = reader.query_batches(
        f"B#{board_id}",
        "L#",
        keys.key_before(f"L#{after[0]}") if after else "L$",
        backwards=True,
        wanted=limit + 1,
        filtered="#deleted_at >= :since",
        names={"#deleted_at": "deleted_at"},
        values={":since": to_timestamp(deleted_since)},
    )
    lists: list[List] = []
    for looks, (batch, more) in enumerate(found, 1):
        lists += [list_from_attributes(each["sk"]["S"][2:], board_id, each) for each in batch]
        if len(lists) > limit:
            break
        if more and looks == MAX_PAGE_READS:
            return Page(tuple(lists), (more["sk"]["S"][2:],))
    return cut_page(lists, limit, lambda each: each.id)
