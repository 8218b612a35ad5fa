"""Keys: where things are in the table.

    pk            sk                     what
    B#<board>     E$                     the board's head: the board, its live lists, its members' roles
                  E#<seq>                an event
                  C#<card>               a card, live or deleted
                  T#<card>#<entry>       a time entry
                  L#<list>               a deleted list
                  X#<external id>        which card claims that external id
    U#<user>      U                      a user
                  K#<token>              a token of the user
                  B#<board>              the user is a member of that board
                  I#<operation>#<key>    an answer remembered for an idempotency key
    T#<digest>    T                      whose token has that digest
    T#<token>     T                      whose token has that id
    S             secret, owner          what belongs to the store itself

Cards carry the keys of two local indexes: `place` (list and rank) and, while they live, `recent` (time of the last
change and id). '#' sorts below every character of an id or a rank, '$' just above '#': so the head follows the events.
"""

from datetime import datetime
from typing import Any

Item = dict[str, Any]
"""As DynamoDB has it: the name of each attribute, and its value by the letter of its type."""

AFTER = " "
"""What makes the least text that is greater than a key: a blank sorts below all that ids and ranks are made of."""


def moment_text(at: datetime) -> str:
    """A moment of UTC as it stands in an item: '2026-11-20T14:00:00Z'."""
    return at.isoformat()[:19] + "Z"


def key(pk: str, sk: str) -> Item:
    """The key of an item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def head_key(board_id: str) -> Item:
    """Where a board's head is."""
    return key(f"B#{board_id}", "E$")


def event_sk(seq: int) -> str:
    """What an event's place among the others is; the digits are enough for any number that a client may send."""
    return f"E#{seq:020d}"


def card_key(board_id: str, card_id: str) -> Item:
    """Where a card is."""
    return key(f"B#{board_id}", f"C#{card_id}")


def claim_key(board_id: str, external_id: str) -> Item:
    """Where it stands which card has that external id."""
    return key(f"B#{board_id}", f"X#{external_id}")


def user_key(user_id: str) -> Item:
    """Where a user is."""
    return key(f"U#{user_id}", "U")


def token_key(user_id: str, token_id: str) -> Item:
    """Where a token is."""
    return key(f"U#{user_id}", f"K#{token_id}")


def holder_key(digest_or_id: str) -> Item:
    """Where it stands whose a token is."""
    return key(f"T#{digest_or_id}", "T")


def record_key(user_id: str, operation_id: str, idempotency_key: str) -> Item:
    """Where a remembered answer is."""
    return key(f"U#{user_id}", f"I#{operation_id}#{idempotency_key}")


def setting_key(name: str) -> Item:
    """Where something is that belongs to the store itself."""
    return key("S", name)


def place(list_id: str, rank: str) -> str:
    """The key of a card in the index of places."""
    return f"{list_id}#{rank}"


def recent(updated_at: str, card_id: str) -> str:
    """The key of a card in the index of changes; the time as `moment_text` writes it."""
    return f"{updated_at}#{card_id}"


def before(sort_key: str) -> str:
    """A text that sorts just before that key: no key of ours lies in between, for they end in a letter or digit."""
    return f"{sort_key[:-1]}{chr(ord(sort_key[-1]) - 1)}~"
