"""Keys: where things are in the table.

    pk            sk                     what
    B#<board>     E#<seq>                an event
                  E#~                    the board's tip: what every write changes, such as the seq
                  E$                     the board's head: the board, its live lists, its members, its labels
                  C#<card>               a card, live or deleted
                  F#<when>#<seq>         a flow segment: when its last event happened, and the seq of that
                  P#<card>#K<checklist>  parts of a card: a checklist with its items,
                  P#<card>#M<comment>    a comment,
                  P#<card>#T<entry>      a time entry
                  N#<card>               the transfer lock: who may write parts of a card that has not arrived yet
                  L#<list>               a deleted list
                  J#<invitation>         an invitation to the board
                  R#<reader>             a reader of the feed: where it is
                  V#<webhook>#<slot>     a delivery of a webhook, by its number modulo how many are kept
                  W#<webhook>            a webhook
                  X#<external id>        which card claims that external id
    U#<user>      U                      a user
                  K#<token>              a token of the user
                  B#<board>              the user is a member of that board
                  A#<~board>#<card>      the user was assigned to that card
                  X#<external id>        which board that this user created claims that external id
                  I#<operation>#<key>    the stored response of an idempotency key
                  G#<when>#<digest>      a sign-in code of the user
                  H#<identity>           an identity of the user
                  J#<invitation>         there is that invitation for the user, to which board
                  Y#<job>                a job that the user has started
    G#<digest>    G                      the sign-in code that has that digest
    J             J#<invitation>         an invitation to no board
    J#<invit.>    J                      to which board that invitation is
    H#<hash>      H                      the identity whose issuer and subject have that hash
    T#<digest>    T                      whose token has that digest
    T#<token>     T                      whose token has that id
    D             <when>#<what>#...      a tombstone: what was deleted then, and is erased by a later purge
    R             <board>#<reader>       there is that reader of the feed
    F             <board>                flow segments of that board were requested
    O             <day>#<user>#<token>   from where that token was used, until that day began, may be recorded
    A             <entry>                an entry of the installation's audit log
    S             secret, owner          what belongs to the installation
    U             <user>                 there is that user
    Y             <kind>#<subject>       there is a job of that kind under way for that subject
    L#<caller>    L                      how much of its limit that caller has used

Local indexes: `place` has cards by list and rank; `recent` has cards by their last change, time entries by their end
('T#'), and the events of each card ('E#'); `due` has the cards with a due date. In the last two, the keys of archived
and of deleted cards begin with 'A#' and 'D#', so that a query for the others does not read them. '#' sorts below every
character of an id or a rank, '~' above them, '$' just above '#': so the tip follows the events, and the head the tip.
"""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from kanban.store import CardState
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Checklist, Comment, Part, TimeEntry

Item = dict[str, Any]
"""An item, or a part of one, as DynamoDB has it: each attribute's name, and its value by the letter of its type."""

NEXT_KEY_SUFFIX = " "
"""Makes a key the least text above it: a blank sorts below all characters of ids and ranks."""

format_timestamp = format_utc
"""Return a moment in UTC as items hold it: '2026-11-20T14:00:00Z'."""

AUDIT_PARTITION = "A"
"""The partition of the audit log."""

HEAD_SORT_KEY, TIP_SORT_KEY = "E$", "E#~"

NO_END = "~"
"""The end of an open time entry in its index key: it sorts above all times."""

STATE_PREFIXES = {CardState.ACTIVE: "", CardState.ARCHIVED: "A#", CardState.DELETED: "D#"}
"""What the keys of cards begin with in the indexes `recent` and `due`."""

_PART_LETTERS: dict[type[Part], str] = {Checklist: "K", Comment: "M", TimeEntry: "T"}

_MIRROR_SUM = ord(" ") + ord("~")


def item_key(partition_key: str, sort_key: str) -> Item:
    """Return the key of an item."""
    return {"pk": {"S": partition_key}, "sk": {"S": sort_key}}


def key_of(item: Item) -> Item:
    """Return the key of that item."""
    return {"pk": item["pk"], "sk": item["sk"]}


# Of a board


def head_key(board_id: str) -> Item:
    """Return the key of a board's head."""
    return item_key(f"B#{board_id}", HEAD_SORT_KEY)


def tip_key(board_id: str) -> Item:
    """Return the key of a board's tip."""
    return item_key(f"B#{board_id}", TIP_SORT_KEY)


def event_key(board_id: str, seq: int) -> Item:
    """Return the key of an event."""
    return item_key(f"B#{board_id}", event_sort_key(seq))


def event_sort_key(seq: int) -> str:
    """Return the sort key of an event; it has enough digits for any number that a client may send."""
    return f"E#{seq:020d}"


def card_key(board_id: str, card_id: str) -> Item:
    """Return the key of a card."""
    return item_key(f"B#{board_id}", f"C#{card_id}")


def list_key(board_id: str, list_id: str) -> Item:
    """Return the key of a deleted list."""
    return item_key(f"B#{board_id}", f"L#{list_id}")


def part_key(kind: type[Part], board_id: str, card_id: str, part_id: str) -> Item:
    """Return the key of a part of a card."""
    return item_key(f"B#{board_id}", part_sort_key(kind, card_id, part_id))


def part_sort_key(kind: type[Part], card_id: str, part_id: str = "") -> str:
    """Return the sort key of a part of a card; without an id, what those of all parts of that kind begin with."""
    return f"P#{card_id}#{_PART_LETTERS[kind]}{part_id}"


def card_id_of_part(key: Item) -> str:
    """Return the id of the card in the key of a part."""
    card_id: str = key["sk"]["S"].split("#")[1]
    return card_id


def transfer_lock_key(board_id: str, card_id: str) -> Item:
    """Return the key of a card's transfer lock on the board that it moves to."""
    return item_key(f"B#{board_id}", f"N#{card_id}")


def card_claim_key(board_id: str, external_id: str) -> Item:
    """Return the key of the claim of a card to an external id."""
    return item_key(f"B#{board_id}", f"X#{external_id}")


def reader_key(board_id: str, name: str) -> Item:
    """Return the key of a reader of the feed."""
    return item_key(f"B#{board_id}", f"R#{name}")


def webhook_key(board_id: str, webhook_id: str) -> Item:
    """Return the key of a webhook."""
    return item_key(f"B#{board_id}", f"W#{webhook_id}")


def delivery_key(board_id: str, webhook_id: str, slot: int) -> Item:
    """Return the key of a delivery of a webhook."""
    return item_key(f"B#{board_id}", f"V#{webhook_id}#{slot:02d}")


def invitation_key(board_id: str | None, invitation_id: str) -> Item:
    """Return the key of an invitation to a board, or to none."""
    return item_key(invitation_partition(board_id), f"J#{invitation_id}")


def invitation_partition(board_id: str | None) -> str:
    """Return the partition of the invitations to a board, or to none."""
    return "J" if board_id is None else f"B#{board_id}"


def invitation_of_user_key(user_id: str, invitation_id: str) -> Item:
    """Return the key of the item that lists an invitation for a user."""
    return item_key(f"U#{user_id}", f"J#{invitation_id}")


def invitation_locator_key(invitation_id: str) -> Item:
    """Return the key of the item that tells to which board an invitation is."""
    return item_key(f"J#{invitation_id}", "J")


# Of a user


def user_key(user_id: str) -> Item:
    """Return the key of a user."""
    return item_key(f"U#{user_id}", "U")


def membership_key(user_id: str, board_id: str) -> Item:
    """Return the key of a board in the list of a user's boards."""
    return item_key(f"U#{user_id}", f"B#{board_id}")


def assignment_key(user_id: str, board_id: str, card_id: str) -> Item:
    """Return the key of a card in the list of a user's cards."""
    return item_key(f"U#{user_id}", assignment_sort_key(board_id, card_id))


def assignment_sort_key(board_id: str, card_id: str) -> str:
    """Return the sort key of an assignment: the newest board comes first, and on it the oldest card."""
    return f"A#{_reverse_order(board_id)}#{card_id}"


def _reverse_order(text: str) -> str:
    """Return a text that sorts in the reverse order: the longer one first, too, where one begins with the other."""
    return "".join(chr(_MIRROR_SUM - ord(character)) for character in text) + "~"


def board_claim_key(user_id: str, external_id: str) -> Item:
    """Return the key of the claim of a board to an external id, among the boards that this user created."""
    return item_key(f"U#{user_id}", f"X#{external_id}")


def token_key(user_id: str, token_id: str) -> Item:
    """Return the key of a token."""
    return item_key(f"U#{user_id}", f"K#{token_id}")


def stored_response_key(user_id: str, operation_id: str, idempotency_key: str) -> Item:
    """Return the key of a stored response."""
    return item_key(f"U#{user_id}", f"I#{operation_id}#{idempotency_key}")


def code_of_user_key(user_id: str, created_at: datetime, digest: str) -> Item:
    """Return the key of a sign-in code among those of its user: the oldest comes first."""
    return item_key(f"U#{user_id}", f"G#{format_timestamp(created_at)}#{digest}")


def identity_of_user_key(user_id: str, identity_id: str) -> Item:
    """Return the key of an identity among those of its user."""
    return item_key(f"U#{user_id}", f"H#{identity_id}")


def job_key(user_id: str, job_id: str) -> Item:
    """Return the key of a job that the user has started."""
    return item_key(f"U#{user_id}", f"Y#{job_id}")


# Of the installation


def unended_job_key(kind: str, subject_id: str) -> Item:
    """Return the key of the item that tells that there is a job under way."""
    return item_key("Y", f"{kind}#{subject_id}")


def identity_key(issuer: str, subject: str) -> Item:
    """Return the key of an identity by its account. Subjects can be longer than keys should be."""
    return item_key(f"H#{sha256(json.dumps([issuer, subject]).encode()).hexdigest()}", "H")


def sign_in_code_key(digest: str) -> Item:
    """Return the key of a sign-in code by its digest."""
    return item_key(f"G#{digest}", "G")


def token_holder_key(digest_or_id: str) -> Item:
    """Return the key of the item that tells whose token has that digest or id."""
    return item_key(f"T#{digest_or_id}", "T")


def token_origin_key(day: str, user_id: str, token_id: str) -> Item:
    """Return the key of the item that tells that an origin of a token may be recorded, of uses before a day began."""
    return item_key("O", f"{day}#{user_id}#{token_id}")


def parse_token_origin(item: Item) -> tuple[str, str]:
    """Return the user and the token of an item that `token_origin_key` is the key of."""
    _, user_id, token_id = item["sk"]["S"].split("#")
    return user_id, token_id


def setting_key(name: str) -> Item:
    """Return the key of something that belongs to the installation."""
    return item_key("S", name)


def audit_entry_key(entry_id: str) -> Item:
    """Return the key of an entry of the audit log."""
    return item_key(AUDIT_PARTITION, entry_id)


def listed_user_key(user_id: str) -> Item:
    """Return the key of a user in the list of all users."""
    return item_key("U", user_id)


def usage_key(key: str) -> Item:
    """Return the key of how much of a limit was used."""
    return item_key(f"L#{key}", "L")


def segment_key(board_id: str, at: datetime, seq: int) -> Item:
    """Return the key of a flow segment."""
    return item_key(f"B#{board_id}", f"F#{format_timestamp(at)}#{seq:020d}")


def segment_request_key(board_id: str) -> Item:
    """Return the key of the request for flow segments of a board."""
    return item_key("F", board_id)


def listed_reader_key(board_id: str, name: str) -> Item:
    """Return the key of a reader in the list of all readers."""
    return item_key("R", f"{board_id}#{name}")


def parse_listed_reader(item: Item) -> tuple[str, str]:
    """Return the board and the name of a reader in the list of all readers."""
    board_id, _, name = item["sk"]["S"].partition("#")
    return board_id, name


def tombstone_key(timestamp: str, *what: str) -> Item:
    """Return the key of a tombstone; the time as `format_timestamp` writes it."""
    return item_key("D", "#".join((timestamp, *what)))


# In the indexes


def rank_index_key(list_id: str, rank: str) -> str:
    """Return the key of a card in the index `place`."""
    return f"{list_id}#{rank}"


def time_index_key(state: CardState, timestamp: str, card_id: str) -> str:
    """Return the key of a card in the indexes `recent` and `due`; the time as `format_timestamp` writes it."""
    return f"{STATE_PREFIXES[state]}{timestamp}#{card_id}"


def entry_index_key(ended_at: str, entry_id: str) -> str:
    """Return the key of a time entry in the index `recent`; its end as `format_timestamp` writes it, or NO_END."""
    return f"T#{ended_at}#{entry_id}"


def card_event_index_key(card_id: str, seq: int) -> str:
    """Return the key of an event of a card in the index `recent`."""
    return f"E#{card_id}#{seq:020d}"


def key_before(sort_key: str) -> str:
    """Return a text just before that key: none of our keys lies between, for they end in a letter or a digit."""
    return f"{sort_key[:-1]}{chr(ord(sort_key[-1]) - 1)}~"
