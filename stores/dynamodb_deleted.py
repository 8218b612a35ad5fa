"""The deleted lists of a board, which stand apart from its head until they come back or are purged."""

from datetime import datetime

from kanban.values import List, Page, PageKey
from stores import dynamodb_keys as keys
from stores.dynamodb_assigned import MOST_LOOKS
from stores.dynamodb_attributes import moment
from stores.dynamodb_heads import list_of
from stores.dynamodb_reading import Reading
from stores.pages import cut_page


def deleted_lists(reading: Reading, board_id: str, since: datetime, limit: int, after: PageKey | None) -> Page[List]:
    """The lists that were deleted since that moment, newest first."""
    found = reading.batches(
        f"B#{board_id}",
        "L#",
        keys.before(f"L#{after[0]}") if after else "L$",
        backwards=True,
        wanted=limit + 1,
        filtered="#deleted_at >= :since",
        names={"#deleted_at": "deleted_at"},
        values={":since": moment(since)},
    )
    lists: list[List] = []
    for looks, (batch, more) in enumerate(found, 1):
        lists += [list_of(each["sk"]["S"][2:], board_id, each) for each in batch]
        if len(lists) > limit:
            break
        if more and looks == MOST_LOOKS:
            return Page(tuple(lists), (more["sk"]["S"][2:],))
    return cut_page(lists, limit, lambda each: each.id)
