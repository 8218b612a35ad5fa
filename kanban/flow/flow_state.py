"""The state of the flow: how many cards each list holds, and which lists are archived, at one moment.

Events lead from one state to the next, and back. What an event does to the number of cards of its list:

    card.created, card.copied, card.arrived, card.unarchived    +1
    checklist_item.converted                                    +1, in the list of the new card
    card.restored                                               +1, unless it came back archived
    card.archived, card.departed                                -1
    card.deleted                                                -1, unless it was archived
    card.moved, list.cards_moved                                -n in the list they left, +n in the list they entered
    list.copied, list.restored                                  +n, the cards of the list
    list.deleted                                                -n, the cards of the list

No other event changes a count; unknown event types are ignored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kanban.values import Event, EventData, Stage
from kanban.views import BoardView

_ADDING_EVENTS = frozenset(
    ("card.created", "card.copied", "card.arrived", "card.unarchived", "checklist_item.converted")
)
_REMOVING_EVENTS = frozenset(("card.archived", "card.departed"))
_NAMING_EVENTS = frozenset(("list.created", "list.copied", "list.restored", "list.deleted"))

ListStage = tuple[str, Stage]
"""A list id and the stage that the list had."""


@dataclass
class FlowState:
    """How many cards each list holds in which stage, the names of the lists, and which are archived.

    A deleted list holds no cards. For as long as it may be restored, it is known whether it is archived: `deleted_at`
    says when lists were deleted, or, going back in time, until when at most.
    """

    card_counts: Counter[ListStage] = field(default_factory=Counter)
    archived_list_ids: set[str] = field(default_factory=set)
    names: dict[str, str | None] = field(default_factory=dict)
    deleted_at: dict[str, datetime] = field(default_factory=dict)

    def copy(self) -> "FlowState":
        """Return a copy that changes by itself."""
        return FlowState(
            Counter(self.card_counts), set(self.archived_list_ids), dict(self.names), dict(self.deleted_at)
        )

    def apply(self, event: Event, stages: Mapping[str, Stage]) -> None:
        """Change to the state after the event. `stages` are those of the present lists, for events without a stage."""
        for list_stage, difference in count_changes(event, stages):
            self.card_counts[list_stage] += difference
        list_id = event.list_id or ""
        match event.type:
            case "list.archived":
                self.archived_list_ids.add(list_id)
            case "list.unarchived":
                self.archived_list_ids.discard(list_id)
            case "list.deleted":
                self.set_archived(list_id, is_archived=was_archived(event))
                self.deleted_at[list_id] = event.at
            case "list.restored":
                self.deleted_at.pop(list_id, None)
        if (name := _find_name(event)) is not None:
            self.names[list_id] = name

    def undo(self, event: Event, stages: Mapping[str, Stage]) -> None:
        """Change to the state before the event."""
        for list_stage, difference in count_changes(event, stages):
            self.card_counts[list_stage] -= difference
        list_id = event.list_id or ""
        match event.type:
            case "list.archived" | "list.unarchived":
                self.set_archived(list_id, is_archived=was_archived(event))
            case "list.deleted":
                self.set_archived(list_id, is_archived=was_archived(event))
                self.deleted_at.pop(list_id, None)
                self.names[list_id] = _find_name(event)
            case "list.restored":
                self.deleted_at[list_id] = event.at

    def set_archived(self, list_id: str, *, is_archived: bool) -> None:
        """Record whether a list is archived."""
        (self.archived_list_ids.add if is_archived else self.archived_list_ids.discard)(list_id)

    def forget_lists_deleted_before(self, before: datetime) -> None:
        """Forget lists that can't come back any more."""
        for list_id in [list_id for list_id, deleted_at in self.deleted_at.items() if deleted_at < before]:
            del self.deleted_at[list_id]
            self.archived_list_ids.discard(list_id)
            self.names.pop(list_id, None)


def build_present_state(view: BoardView) -> FlowState:
    """Return the state of a board as it is now."""
    return FlowState(
        Counter({(list_.id, list_.stage): list_.card_count for list_ in view.lists}),
        {list_.id for list_ in view.lists if list_.archived_at is not None},
        {list_.id: list_.name for list_ in view.lists},
    )


def get_stages(view: BoardView) -> dict[str, Stage]:
    """Return the stages of a board's lists by id."""
    return {list_.id: list_.stage for list_ in view.lists}


def was_archived(event: Event) -> bool:
    """Tell whether a list was archived before an event that archives, unarchives or deletes it."""
    return event.type == "list.unarchived" or event.data.get("archived_at") is not None


def count_changes(event: Event, stages: Mapping[str, Stage]) -> Iterator[tuple[ListStage, int]]:
    """Yield the lists and stages whose card count an event changes, with the difference."""
    data = event.data
    event_list, source_list = (event.list_id, data.get("stage")), (data.get("from_list_id"), data.get("from_stage"))
    changes: list[tuple[tuple[object, object], int]] = []
    match event.type:
        case kind if kind in _ADDING_EVENTS:
            changes = [(event_list, 1)]
        case kind if kind in _REMOVING_EVENTS:
            changes = [(event_list, -1)]
        case "card.restored" if data.get("archived_at") is None:
            changes = [(event_list, 1)]
        case "card.deleted" if data.get("archived_at") is None:
            changes = [(event_list, -1)]
        case "card.moved" | "list.cards_moved":
            card_ids = data.get("card_ids")
            count = len(card_ids) if isinstance(card_ids, list) else 1
            changes = [(source_list, -count), ((event.list_id, data.get("to_stage")), count)]
        case "list.copied" | "list.restored":
            changes = [(event_list, _get_card_count(data))]
        case "list.deleted":
            changes = [(event_list, -_get_card_count(data))]
    for (list_id, event_stage), count in changes:
        # An event of an older version may not name the stage: assume the list's present one.
        if isinstance(list_id, str) and (stage := event_stage or stages.get(list_id)):
            yield (list_id, Stage(str(stage))), count


def _find_name(event: Event) -> str | None:
    """Return the name that an event says its list has."""
    if event.type in _NAMING_EVENTS:
        return str(event.data.get("name") or "") or None
    if event.type == "list.updated":
        return next((str(change["to"]) for change in event.changes or () if change["field"] == "name"), None)
    return None


def _get_card_count(data: EventData) -> int:
    card_count = data.get("card_count")
    return card_count if isinstance(card_count, int) else 0
