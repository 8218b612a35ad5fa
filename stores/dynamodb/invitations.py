"""Invitations in a table: their items, reads, and the writes of a commit.

DynamoDB erases expired ones by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from kanban.changes import Change
from kanban.values import Invitation
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import compile_reader, compile_writer, to_number, to_string
from stores.dynamodb.changes import of_type
from stores.dynamodb.conflicts import uniqueness_conflict
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.writes import IS_NEW, Delete, Put, Write

_PAGE_SIZE = 100

invitation_from_item: Callable[[Item], Invitation] = compile_reader(
    Invitation,
    ("item",),
    {"id": "item['sk']['S'][2:]", "board_id": "item['pk']['S'][2:] or None"},
)
"""Return the invitation in an item."""

_invitation_attributes: Callable[[Invitation], Item] = compile_writer(Invitation, ("id", "board_id"))


class DynamoInvitations:
    """A `kanban.invitation_store.InvitationStore` in a table. Threads may share it."""

    def __init__(self, reader: TableReader) -> None:
        self._reader = reader

    def read_invitation(self, invitation_id: str) -> Invitation | None:
        candidates = [keys.invitation_locator_key(invitation_id), keys.invitation_key(None, invitation_id)]
        item = next(iter(self._reader.batch_get(candidates)), None)
        if item is not None and "board_id" in item:
            item = self._reader.get_item(keys.invitation_key(item["board_id"]["S"], invitation_id))
        return invitation_from_item(item) if item else None

    def list_invitations(self, board_id: str | None) -> Sequence[Invitation]:
        items = self._reader.query(keys.invitation_partition(board_id), "J#", "J$", page_size=_PAGE_SIZE)
        return [invitation_from_item(item) for item in items]

    def page_invitations_of_user(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Invitation]:
        last = keys.key_before(f"J#{after[0]}") if after else "J$"
        items = self._reader.query(f"U#{user_id}", "J#", last, backwards=True, page_size=limit + 1)
        listed = [(item["sk"]["S"][2:], item["board_id"]["S"]) for item in islice(items, limit + 1)]
        item_keys = [keys.invitation_key(board_id, invitation_id) for invitation_id, board_id in listed[:limit]]
        # What was erased with its board is listed until it expires.
        items = self._reader.batch_get(item_keys) if item_keys else iter(())
        newest_first = sorted(map(invitation_from_item, items), key=lambda invitation: invitation.id, reverse=True)
        return Page(tuple(newest_first), (listed[limit - 1][0],) if len(listed) > limit else None)


def write_invitations(change: Change) -> Iterator[Write]:
    """Yield the writes of invitations in a change.

    The version of one that is used or revoked tells whether it was used meanwhile.
    """
    for invitation in of_type(Invitation, change.creates):
        for item in invitation_to_items(invitation):
            yield Put(item, condition=IS_NEW, on_failure=uniqueness_conflict("invitation"))
    for invitation in of_type(Invitation, change.updates):
        item, *_ = invitation_to_items(invitation)
        yield Put(item, condition="#version = :before", values={":before": to_number(invitation.version - 1)})
    for invitation in of_type(Invitation, change.deletes):
        key = keys.invitation_key(invitation.board_id, invitation.id)
        yield Delete(key, condition="#version = :version", values={":version": to_number(invitation.version)})
        if invitation.board_id is not None:
            yield Delete(keys.invitation_locator_key(invitation.id))
        if invitation.invitee_id is not None:
            yield Delete(keys.invitation_of_user_key(invitation.invitee_id, invitation.id))


def invitation_to_items(invitation: Invitation) -> Iterator[Item]:
    """Yield the item of an invitation, then those that tell to which board it is, and that list it for a user."""
    expires = {"expires": to_number(int(invitation.expires_at.timestamp()))}
    yield keys.invitation_key(invitation.board_id, invitation.id) | _invitation_attributes(invitation) | expires
    if invitation.board_id is not None:
        board_id = {"board_id": to_string(invitation.board_id)}
        yield keys.invitation_locator_key(invitation.id) | board_id | expires
        if invitation.invitee_id is not None:
            yield keys.invitation_of_user_key(invitation.invitee_id, invitation.id) | board_id | expires
