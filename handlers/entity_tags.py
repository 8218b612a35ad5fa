"""Entity tags of resources, without quotes: the version, and whatever changes without a new version."""

from datetime import datetime
from hashlib import sha256
from zlib import crc32

from handlers.serialize import find_assignee_id
from kanban.timekeeping import card_clock
from kanban.values import (
    Board,
    CardView,
    Checklist,
    ChecklistItem,
    FeedReader,
    Invitation,
    List,
    Member,
    TimeEntry,
    User,
    Webhook,
)
from kanban.views import BoardView


def card_tag(card: CardView, now: datetime) -> str:
    """Return the entity tag of a card: its version and all that changes without a new version, without trailing zeros.

    Without a new version, labels and assignees can only be removed, so their counts identify what is left.
    """
    parts = [
        _checksum(card.rank),
        card_clock.count_worked_seconds(card, now) if card.running else 0,
        len(card.label_ids),
        len(card.assignee_ids),
        card.comment_count,
        card.item_count,
        card.done_count,
    ]
    while parts and not parts[-1]:
        parts.pop()
    return f"{card.version}.{'-'.join(map(str, parts))}" if parts else str(card.version)


def member_tag(member: Member, user: User) -> str:
    """Return the entity tag of a member: the versions of membership and user, and the id of the membership.

    The id is needed because a user who leaves and rejoins has a new membership that starts at version 1.
    """
    return f"{member.version}.{user.version}.{member.id.rpartition('_')[2]}"


def invited_member_tag(invitation: Invitation, user: User) -> str:
    """Return the entity tag of a user who was asked to join: like that of a member, with the id of the invitation."""
    return f"{invitation.version}.{user.version}.{invitation.id.rpartition('_')[2]}"


def list_tag(list_: List) -> str:
    """Return the entity tag of a list: its version, its number of cards, and a checksum of its rank."""
    return f"{list_.version}.{list_.card_count}-{_checksum(list_.rank)}"


def board_tag(board: Board) -> str:
    """Return the entity tag of a board: its version and seq."""
    return f"{board.version}.{board.seq}"


def checklist_tag(checklist: Checklist, view: BoardView) -> str:
    """Return the entity tag of a checklist: its version, a checksum of its rank, and a digest of its items' tags."""
    item_tags = " ".join(f"{item.id}.{checklist_item_tag(item, view)}" for item in checklist.items)
    tag = f"{checklist.version}.{_checksum(checklist.rank)}"
    return f"{tag}.{sha256(item_tags.encode()).hexdigest()[:20]}" if item_tags else tag


def checklist_item_tag(item: ChecklistItem, view: BoardView) -> str:
    """Return the entity tag of an item: its version, and whether it has an assignee, who may leave the board."""
    return f"{item.version}.1" if find_assignee_id(item, view) else str(item.version)


def time_entry_tag(entry: TimeEntry, now: datetime) -> str:
    """Return the entity tag of a time entry: its version, and its seconds while it is open."""
    return str(entry.version) if entry.ended_at else f"{entry.version}.{card_clock.count_entry_seconds(entry, now)}"


def webhook_tag(webhook: Webhook, reader: FeedReader | None) -> str:
    """Return the entity tag of a webhook: its version, and what its deliveries change."""
    if reader is None:
        return str(webhook.version)
    return f"{webhook.version}.{reader.after_seq}-{reader.calls}-{reader.attempts}"


def _checksum(rank: str) -> int:
    """Return the CRC-32 of a rank, which is shorter than the rank and has digits only."""
    return crc32(rank.encode())
