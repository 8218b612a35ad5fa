"""The capacity of lists: whether a card can enter, its rank at an end, and what a list stores about its cards."""

from dataclasses import replace

from kanban.errors import Conflict, LimitReached, quote_name
from kanban.limits import MAX_CARDS_PER_LIST
from kanban.ordering import ranks
from kanban.values import End, Enforcement, List


class WipLimitReached(Conflict):
    """Raised when a list that enforces its WIP limit has reached it."""

    code = "wip_limit_reached"

    def __init__(self, list_name: str, limit: int) -> None:
        """Take the list's name and its limit."""
        super().__init__(f"List {quote_name(list_name)} is full: its WIP limit is {limit}.")
        self.limit = limit


class ListArchived(Conflict):
    """Raised when a card should enter an archived list."""

    code = "list_archived"

    def __init__(self, list_name: str) -> None:
        """Take the list's name."""
        super().__init__(f"List {quote_name(list_name)} is archived: unarchive it first.")


def get_rank_at_end(target: List, end: End) -> str:
    """Return the rank of a card that goes to the top or the bottom of the list."""
    return ranks.before(target.first_rank) if end == "top" else ranks.after(target.last_rank)


def ensure_card_can_enter(target: List) -> None:
    """Raise ListArchived, LimitReached or WipLimitReached if one more card can't enter the list."""
    if target.archived_at is not None:
        raise ListArchived(target.name)
    if target.card_count >= MAX_CARDS_PER_LIST:
        raise LimitReached("cards", MAX_CARDS_PER_LIST, holder_name=target.name)
    is_enforced = target.wip_enforcement == Enforcement.BLOCK
    if is_enforced and target.wip_limit is not None and target.card_count >= target.wip_limit:
        raise WipLimitReached(target.name, target.wip_limit)


def with_card(target: List, rank: str) -> List:
    """Return the list with one more card, at that rank."""
    return replace(with_rank(target, rank), card_count=target.card_count + 1)


def without_card(source: List) -> List:
    """Return the list with one card less."""
    return replace(source, card_count=source.card_count - 1)


def with_rank(target: List, rank: str) -> List:
    """Return the list with its rank bounds widened to include the rank."""
    first_rank = min(target.first_rank or rank, rank)
    return replace(target, first_rank=first_rank, last_rank=max(target.last_rank, rank))
