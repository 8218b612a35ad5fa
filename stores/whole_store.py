"""What a store consists of, as values that are the same on every engine: a backup of DynamoDB translates both ways."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kanban.flow.flow_segments import FlowSegment
from kanban.store import StoredResponse
from kanban.values import (
    AuditEntry,
    Board,
    Card,
    Event,
    FeedReader,
    Identity,
    Invitation,
    Job,
    Label,
    List,
    Member,
    Part,
    SignInCode,
    Token,
    User,
    Webhook,
    WebhookDelivery,
)


class Setting(NamedTuple):
    """Something that belongs to the installation: its `owner` (ids with blanks between), or its `secret`."""

    name: str
    value: str


class WholeBoard(NamedTuple):
    """A board with its lists, deleted ones too, its members and its labels."""

    board: Board
    lists: Sequence[List]
    members: Sequence[Member]
    labels: Sequence[Label]


class AssignedCard(NamedTuple):
    """A card, and the user ids of its assignees by membership id."""

    card: Card
    assignee_users: Mapping[str, str]


StoredValue = (
    Setting
    | User
    | Token
    | Identity
    | SignInCode
    | AuditEntry
    | Job
    | StoredResponse
    | WholeBoard
    | AssignedCard
    | Part
    | Event
    | FlowSegment
    | Invitation
    | FeedReader
    | Webhook
    | WebhookDelivery
)
"""What is moved. How much of their limits callers have used is no part of the data."""
