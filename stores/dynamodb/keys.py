"""Keys: where things are in the table.

    pk            sk                     what
    B#<board>     E$                     the board's head: the board, its live lists, its members, its labels
                  E#<seq>                an event
                  C#<card>               a card, live or deleted
                  P#<card>#K<checklist>  parts of a card: a checklist with its items,
                  P#<card>#M<comment>    a comment,
                  P#<card>#T<entry>      a time entry
                  N#<card>               who may write parts of a card that is not there yet
                  L#<list>               a deleted list
                  X#<external id>        which card claims that external id
    U#<user>      U                      a user
                  K#<token>              a token of the user
                  B#<board>              the user is a member of that board
                  A#<~board>#<card>      the user was assigned to that card
                  X#<external id>        which board of this user's making claims that external id
                  I#<operation>#<key>    an answer remembered for an idempotency key
    T#<digest>    T                      whose token has that digest
    T#<token>     T                      whose token has that id
    D             <when>#<what>#...      a tombstone: what was deleted then, and is to be erased some day
    S             secret, owner          what belongs to the store itself

Local indexes: `place` has cards by list and rank; `recent` has cards by their last change, and time entries by their
end ('T#'); `due` has the cards that are due some time. In the last two, cards that are archived or deleted stand apart
('A#', 'D#'), so that who looks for the others does not read them. '#' sorts below every character of an id or a rank,
'$' just above '#': so the head follows the events.
"""

from datetime import datetime
from typing import Any

from kanban.store import CardState
from kanban.values import Checklist, Comment, Part, TimeEntry

Item = dict[str, Any]
"""As DynamoDB has it: the name of each attribute, and its value by the letter of its type."""

LEAST_SUFFIX = " "
"""What makes the least text that is greater than a key: a blank sorts below all that ids and ranks are made of."""


def format_timestamp(at: datetime) -> str:
    """A moment of UTC as it stands in an item: '2026-11-20T14:00:00Z'."""
    return at.isoformat()[:19] + "Z"


def item_key(pk: str, sk: str) -> Item:
    """The key of an item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def head_key(board_id: str) -> Item:
    """Where a board's head is."""
    return item_key(f"B#{board_id}", "E$")


def event_sort_key(seq: int) -> str:
    """What an event's place among the others is; the digits are enough for any number that a client may send."""
    return f"E#{seq:020d}"


def card_key(board_id: str, card_id: str) -> Item:
    """Where a card is."""
    return item_key(f"B#{board_id}", f"C#{card_id}")


def list_key(board_id: str, list_id: str) -> Item:
    """Where a deleted list is."""
    return item_key(f"B#{board_id}", f"L#{list_id}")


_PART_LETTERS: dict[type[Part], str] = {Checklist: "K", Comment: "M", TimeEntry: "T"}


def part_sort_key(kind: type[Part], card_id: str, part_id: str = "") -> str:
    """Where a part of a card stands in its board's partition; without an id, what all of that kind begin with."""
    return f"P#{card_id}#{_PART_LETTERS[kind]}{part_id}"


def part_key(kind: type[Part], board_id: str, card_id: str, part_id: str) -> Item:
    """Where a part of a card is."""
    return item_key(f"B#{board_id}", part_sort_key(kind, card_id, part_id))


def transfer_lock_key(board_id: str, card_id: str) -> Item:
    """Where it stands who may write parts of a card that comes from another board, or erase what is left of one."""
    return item_key(f"B#{board_id}", f"N#{card_id}")


def card_claim_key(board_id: str, external_id: str) -> Item:
    """Where it stands which card has that external id."""
    return item_key(f"B#{board_id}", f"X#{external_id}")


def user_key(user_id: str) -> Item:
    """Where a user is."""
    return item_key(f"U#{user_id}", "U")


def membership_key(user_id: str, board_id: str) -> Item:
    """Where it stands that a user is a member of a board."""
    return item_key(f"U#{user_id}", f"B#{board_id}")


def assignment_key(user_id: str, board_id: str, card_id: str) -> Item:
    """Where it stands that a user was assigned to a card. The newest board comes first, and there the oldest card."""
    return item_key(f"U#{user_id}", assignment_sort_key(board_id, card_id))


def assignment_sort_key(board_id: str, card_id: str) -> str:
    """Where an assignment stands among those of its user."""
    return f"A#{_reverse_order(board_id)}#{card_id}"


def _reverse_order(text: str) -> str:
    """A text that sorts the other way round: of two, the greater comes first, also when it goes on where one ends."""
    return "".join(chr(_MIRROR_SUM - ord(sign)) for sign in text) + "~"


_MIRROR_SUM = ord(" ") + ord("~")


def board_claim_key(user_id: str, external_id: str) -> Item:
    """Where it stands which of the boards that a user made has that external id."""
    return item_key(f"U#{user_id}", f"X#{external_id}")


def token_key(user_id: str, token_id: str) -> Item:
    """Where a token is."""
    return item_key(f"U#{user_id}", f"K#{token_id}")


def token_holder_key(digest_or_id: str) -> Item:
    """Where it stands whose a token is."""
    return item_key(f"T#{digest_or_id}", "T")


def stored_response_key(user_id: str, operation_id: str, idempotency_key: str) -> Item:
    """Where a remembered answer is."""
    return item_key(f"U#{user_id}", f"I#{operation_id}#{idempotency_key}")


def setting_key(name: str) -> Item:
    """Where something is that belongs to the store itself."""
    return item_key("S", name)


def tombstone_key(at: str, *what: str) -> Item:
    """Where it stands that something was deleted; the time as `format_timestamp` writes it."""
    return item_key("D", "#".join((at, *what)))


def rank_index_key(list_id: str, rank: str) -> str:
    """The key of a card in the index of places."""
    return f"{list_id}#{rank}"


STATE_PREFIXES = {CardState.ACTIVE: "", CardState.ARCHIVED: "A#", CardState.DELETED: "D#"}
"""What the keys of cards begin with in the indexes `recent` and `due`."""


def time_index_key(state: CardState, at: str, card_id: str) -> str:
    """The key of a card in the indexes `recent` and `due`; the time as `format_timestamp` writes it."""
    return f"{STATE_PREFIXES[state]}{at}#{card_id}"


NO_END = "~"
"""Stands for the end of a time entry that has none yet: it sorts above all times."""


def entry_index_key(ended_at: str, entry_id: str) -> str:
    """The key of a time entry in the index `recent`; the time as `format_timestamp` writes it, or OPEN."""
    return f"T#{ended_at}#{entry_id}"


def key_before(sort_key: str) -> str:
    """A text that sorts just before that key: no key of ours lies in between, for they end in a letter or digit."""
    return f"{sort_key[:-1]}{chr(ord(sort_key[-1]) - 1)}~"
