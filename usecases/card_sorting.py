"""Sort the cards of a list: all of them are read, and as many as one change holds are moved."""

from kanban.changes import ActionContext, Change
from kanban.ordering import reordering
from kanban.ordering.reordering import Moves
from kanban.store import CardQuery
from kanban.views import PageKey
from usecases.board_access import BoardAccess

_CARDS_PER_READ = 500


def sort_list(
    access: BoardAccess,
    context: ActionContext,
    board_id: str,
    list_id: str,
    *,
    by: reordering.SortField,
    direction: reordering.Direction = "asc",
) -> tuple[Moves, Change | None]:
    """Bring the cards of a list closer to a sort order; return the moves, how many remain, and the change to commit.

    Raises NotFound for a list that is not live.
    """
    # The change is based on the first view: if anything is written during the further reads, its commit is stale.
    view, card_ranks = access.read_card_ranks(board_id, list_id)
    view.get_list(list_id)
    sort_values: dict[str, reordering.SortValue] = {}
    after: PageKey | None = None
    while True:
        _, page = access.page_cards(board_id, CardQuery(list_id), _CARDS_PER_READ, after)
        sort_values |= {card.id: reordering.get_sort_value(card, by) for card in page.items}
        if page.next_key is None:
            break
        after = page.next_key
    return reordering.sort_cards(view, list_id, card_ranks, sort_values, context, by=by, direction=direction)
