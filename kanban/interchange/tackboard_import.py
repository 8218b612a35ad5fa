"""Import a Tackboard export as a new board.

Anybody can write anything into an export. An import therefore creates comments, time entries and assignments in the
name of trusted users only: the caller when it comes through the API, every existing user when the
operator runs it on the command line. What other people wrote becomes the importer's and begins with their name.

An export holds no history. It is rebuilt from what the cards know: when they were created, first started and completed.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kanban.boards import build_board
from kanban.cards import build_card
from kanban.changes import ActionContext, Change
from kanban.checklist_items import build_item
from kanban.fields import Field, describe
from kanban.flow import completions
from kanban.interchange import export_document
from kanban.interchange.export_document import JsonObject
from kanban.interchange.export_validation import BrokenExport, validate_export
from kanban.interchange.import_report import ImportReport
from kanban.interchange.imported_board import (
    MAX_COMMENT_LENGTH,
    MAX_NOTE_LENGTH,
    attribute_text,
    build_imported_board,
    is_attributed,
)
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.lists import build_list
from kanban.members import build_member
from kanban.ordering import ranks
from kanban.timekeeping import card_clock, timestamps
from kanban.values import (
    Board,
    Card,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Event,
    EventData,
    Label,
    Link,
    List,
    Member,
    NewBoard,
    NewCard,
    NewChecklistItem,
    NewList,
    Role,
    Stage,
    TimeEntry,
)
from kanban.views import BoardView

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a time entry may lie in the future, because the clocks of two machines differ."""


def import_board(
    document: JsonObject, trusted_user_ids: Collection[str], context: ActionContext
) -> tuple[BoardView, Change, ImportReport]:
    """Build a new board from an export; return the board's view, the change that creates it, and the report.

    `trusted_user_ids` are the users, besides the actor, in whose names the import may create comments, time entries,
    members and assignments. All of them must exist. Raises BrokenExport if the document is not one whole export.
    """
    validate_export(document)
    return _TackboardImport(document, trusted_user_ids, context).build()


class _TackboardImport:
    """One import of a valid document, built step by step."""

    def __init__(self, document: JsonObject, trusted_user_ids: Collection[str], context: ActionContext) -> None:
        self.document = document
        self.context = context
        self.trusted_user_ids = {*trusted_user_ids, context.actor_id}
        self.report = ImportReport()
        self.events: list[Event] = []
        self.board = self._build_board(document["board"])
        self.members = self._build_members()
        self.labels = {label["id"]: self._build_label(label) for label in document["labels"]}
        list_ranks = ranks.sequence_after("", len(document["lists"]))
        self.lists = {
            list_["id"]: self._build_list(list_, rank)
            for list_, rank in zip(document["lists"], list_ranks, strict=True)
        }

    def build(self) -> tuple[BoardView, Change, ImportReport]:
        """Return the board's view, the change that creates it, and the report."""
        cards = {
            card["id"]: self._build_card(card)
            for card in sorted(self.document["cards"], key=lambda exported: (exported["created_at"], exported["id"]))
        }
        checklists = self._build_checklists(cards)
        comments = self._build_comments(cards)
        entries = self._build_time_entries(cards)
        for card in cards.values():
            self._add_card_history(card)
        self._report_untrusted_users()
        self._report_overlaps(cards)
        self.report.counts.update({"lists": len(self.lists), "cards": len(cards), "labels": len(self.labels)})
        self.report.counts.update({"checklists": len(checklists), "comments": len(comments)})
        self.report.counts["time_entries"] = len(entries)
        view, change = build_imported_board(
            self.board,
            self.context,
            source=export_document.FORMAT,
            report=self.report,
            history=self.events,
            members=[*self.members.values()],
            lists=[*self.lists.values()],
            labels=[*self.labels.values()],
            other_values=(*cards.values(), *checklists, *comments, *entries),
        )
        return view, change, self.report

    # The board

    def _build_board(self, exported: JsonObject) -> Board:
        new = NewBoard(**parse_content(Board, exported), currency=exported["currency"])
        created_at = timestamps.parse_utc(exported["created_at"])
        return replace(
            build_board(new, self.context.new_id("board"), self.context.actor_id, created_at),
            external_id=export_document.build_external_id(self.document),
            updated_at=self.context.at,
            archived_at=_parse_optional_timestamp(exported["archived_at"]),
        )

    def _build_members(self) -> dict[str, Member]:
        """Return the members by user id: those who are trusted, and the importer as an owner."""
        roles = {member["user_id"]: Role(member["role"]) for member in self.document["members"]}
        if roles.get(self.context.actor_id) != Role.OWNER:
            self.report.add_line("members", "", "Whoever imports a board owns it: you were not an owner of this one.")
        roles = {
            self.context.actor_id: Role.OWNER,
            **{user_id: role for user_id, role in roles.items() if user_id != self.context.actor_id},
        }
        members = {
            user_id: build_member(self.board.id, user_id, role, self.context)
            for user_id, role in roles.items()
            if user_id in self.trusted_user_ids
        }
        if len(members) > MAX_MEMBERS_PER_BOARD:
            raise BrokenExport(
                "members", f"With the importer, the board has more than {MAX_MEMBERS_PER_BOARD} members."
            )
        return members

    def _get_author_id(self, user_id: str) -> str:
        """Return the user who gets a person's comment or entry: the person if trusted, otherwise the importer."""
        return user_id if user_id in self.trusted_user_ids else self.context.actor_id

    def _get_recorder_id(self, exported: JsonObject) -> str | None:
        """Return who recorded an entry: the importer, unless it was a trusted user, or the clock of a trusted user."""
        recorder_id: str | None = exported.get("recorded_by")
        if exported["user_id"] in self.trusted_user_ids and (
            recorder_id is None or recorder_id in self.trusted_user_ids
        ):
            return recorder_id
        return self.context.actor_id

    def _attribute_if_needed(self, user_id: str, name: str, text: str, max_length: int) -> tuple[str, bool]:
        """Return a person's text as it is stored, and whether it was cut to make room for their name."""
        by_importer = user_id == self.document["board"].get("imported_by")
        if user_id in self.trusted_user_ids or is_attributed(name, text, by_importer=by_importer):
            return text, False
        return attribute_text(name, text, max_length)

    def _build_label(self, exported: JsonObject) -> Label:
        return Label(
            self.context.new_id("label"),
            self.board.id,
            exported["name"],
            Color(exported["color"]),
            1,
            *_parse_timestamps(exported),
        )

    def _build_list(self, exported: JsonObject, rank: str) -> List:
        own_cards = [card for card in self.document["cards"] if card["list_id"] == exported["id"]]
        card_ranks = [card["place"] for card in own_cards]
        created_at, updated_at = _parse_timestamps(exported)
        list_ = replace(
            build_list(
                NewList(**parse_content(List, exported)), self.context.new_id("list"), self.board.id, rank, created_at
            ),
            card_count=sum(card["archived_at"] is None for card in own_cards),
            first_rank=min(card_ranks, default=""),
            last_rank=max(card_ranks, default=""),
            updated_at=updated_at,
            archived_at=_parse_optional_timestamp(exported["archived_at"]),
        )
        self._add_event(created_at, "list.created", list_.id, None, {"name": list_.name, "stage": str(list_.stage)})
        return list_

    # Cards

    def _build_card(self, exported: JsonObject) -> Card:
        created_at, updated_at = _parse_timestamps(exported)
        new = NewCard(
            **parse_content(Card, exported), links=[Link(link["url"], link["title"]) for link in exported["links"]]
        )
        return replace(
            build_card(
                new,
                self.context.new_id("card"),
                self.lists[exported["list_id"]],
                rank=exported["place"],
                at=created_at,
                label_ids=sorted(self.labels[label_id].id for label_id in exported["label_ids"]),
                assignee_ids=sorted(
                    self.members[user_id].id for user_id in exported["assignee_ids"] if user_id in self.members
                ),
            ),
            started_at=_parse_optional_timestamp(exported["started_at"]),
            resolved_at=_parse_optional_timestamp(exported["resolved_at"]),
            updated_at=updated_at,
            archived_at=_parse_optional_timestamp(exported["archived_at"]),
        )

    def _build_checklists(self, cards: dict[str, Card]) -> list[Checklist]:
        checklists = []
        last_ranks: defaultdict[str, str] = defaultdict(str)
        for exported in self.document["checklists"]:
            card = cards[exported["card_id"]]
            last_ranks[card.id] = ranks.after(last_ranks[card.id])
            items = tuple(self._build_item(item) for item in exported["items"])
            new_id = self.context.new_id("checklist")
            checklists.append(
                Checklist(
                    new_id,
                    card.board_id,
                    card.id,
                    exported["name"],
                    last_ranks[card.id],
                    items,
                    1,
                    *_parse_timestamps(exported),
                )
            )
            done_count = card.done_count + sum(item.done for item in items)
            cards[exported["card_id"]] = replace(card, item_count=card.item_count + len(items), done_count=done_count)
        return checklists

    def _build_item(self, exported: JsonObject) -> ChecklistItem:
        member = self.members.get(exported["assignee_id"])
        created_at, updated_at = _parse_timestamps(exported)
        new = NewChecklistItem(**parse_content(ChecklistItem, exported))
        item = build_item(new, self.context.new_id("checklist_item"), member.id if member else None, created_at)
        return replace(item, updated_at=updated_at)

    def _build_comments(self, cards: dict[str, Card]) -> list[Comment]:
        comments = []
        truncated_counts: Counter[str] = Counter()
        for exported in sorted(self.document["comments"], key=lambda comment: (comment["created_at"], comment["id"])):
            card, author = cards[exported["card_id"]], self._get_author_id(exported["author_id"])
            text, is_truncated = self._attribute_if_needed(
                exported["author_id"], exported["author_name"], exported["text"], MAX_COMMENT_LENGTH
            )
            truncated_counts[exported["card_id"]] += is_truncated
            new_id = self.context.new_id("comment")
            comments.append(Comment(new_id, card.board_id, card.id, author, text, 1, *_parse_timestamps(exported)))
            cards[exported["card_id"]] = replace(card, comment_count=card.comment_count + 1)
        for card_id, count in truncated_counts.items():
            self.report.add_truncated_comments(cards[card_id].title, count)
        return comments

    def _build_time_entries(self, cards: dict[str, Card]) -> list[TimeEntry]:
        entries = []
        truncated_counts: Counter[str] = Counter()
        for number, exported in enumerate(self.document["time_entries"]):
            card = cards[exported["card_id"]]
            note, is_truncated = self._attribute_if_needed(
                exported["user_id"], exported["user_name"], exported["note"], MAX_NOTE_LENGTH
            )
            truncated_counts[exported["card_id"]] += is_truncated
            entry = TimeEntry(
                id=self.context.new_id("time_entry"),
                board_id=card.board_id,
                card_id=card.id,
                user_id=self._get_author_id(exported["user_id"]),
                started_at=timestamps.parse_utc(exported["started_at"]),
                ended_at=_parse_optional_timestamp(exported["ended_at"]),
                rate_minor=exported["hourly_rate_minor"],
                note=note,
                version=1,
                recorded_by=self._get_recorder_id(exported),
            )
            self._validate_interval(entry, f"time_entries/{number}")
            if entry.ended_at is None:
                cards[exported["card_id"]] = self._start_clock(card, entry, number)
            else:
                seconds = card_clock.count_entry_seconds(entry, entry.ended_at)
                cards[exported["card_id"]] = replace(
                    card,
                    tracked_seconds=card.tracked_seconds + seconds,
                    tracked_cost=card.tracked_cost + seconds * entry.rate_minor,
                )
            entries.append(entry)
        for card_id, count in truncated_counts.items():
            self.report.add_truncated_notes(cards[card_id].title, count)
        return entries

    def _validate_interval(self, entry: TimeEntry, field: str) -> None:
        if entry.ended_at and entry.ended_at < entry.started_at:
            raise BrokenExport(f"{field}/ended_at", "A time entry ends before it starts.")
        if max(entry.started_at, entry.ended_at or entry.started_at) > self.context.at + _MAX_CLOCK_SKEW:
            raise BrokenExport(field, "A time entry lies in the future.")

    def _start_clock(self, card: Card, entry: TimeEntry, number: int) -> Card:
        """Return the card with its clock running since the entry began. Raises BrokenExport if its clock can't run."""
        list_ = next(list_ for list_ in self.lists.values() if list_.id == card.list_id)
        # Archiving a board stops its clocks, but one can be started again: the board's archived_at is irrelevant.
        is_archived = (list_.archived_at, card.archived_at) != (None, None)
        if card.running or is_archived or list_.stage != Stage.IN_PROGRESS:
            raise BrokenExport(
                f"time_entries/{number}/ended_at",
                "A time entry is open, but its card is not in progress, is archived, or has another one that is open.",
            )
        return replace(card, running=entry)

    # History

    def _add_card_history(self, card: Card) -> None:
        """Add the events that the card's timestamps imply: created, started, completed, archived."""
        lists = [*self.lists.values()]
        current_list = next(list_ for list_ in lists if list_.id == card.list_id)
        was_moved = card.started_at is not None or card.resolved_at is not None
        first_list = (
            (_find_first_list(lists, Stage.TODO) or _find_first_list(lists, Stage.IN_PROGRESS))
            if was_moved
            else current_list
        )
        list_of_start = (
            current_list if current_list.stage == Stage.IN_PROGRESS else _find_first_list(lists, Stage.IN_PROGRESS)
        )
        stops = [(card.created_at, first_list or current_list)]
        for at, stop in (
            (card.started_at, list_of_start),
            (card.resolved_at, current_list),
            (card.updated_at, current_list),
        ):
            if at is None or stop is None or stop is stops[-1][1]:
                continue
            if at > stops[-1][0]:
                stops.append((at, stop))
            else:
                stops[-1] = (stops[-1][0], stop)
        source = stops[0][1]
        self._add_event(
            card.created_at, "card.created", source.id, card.id, {"title": card.title, "stage": str(source.stage)}
        )
        for at, stop in stops[1:]:
            data = {"from_list_id": source.id, "from_stage": str(source.stage), "to_stage": str(stop.stage)}
            completion_data = completions.build_completion_data(card, source.stage, stop.stage)
            self._add_event(at, "card.moved", stop.id, card.id, {**data, **completion_data})
            source = stop
        if card.archived_at is not None:
            archived_at = timestamps.format_utc(card.archived_at)
            data = {"title": card.title, "stage": str(current_list.stage), "archived_at": archived_at}
            self._add_event(card.archived_at, "card.archived", current_list.id, card.id, data)

    def _add_event(
        self, at: datetime, event_type: str, list_id: str | None, card_id: str | None, data: EventData
    ) -> None:
        self.events.append(
            Event(self.board.id, 0, event_type, min(at, self.context.at), self.context.actor_id, list_id, card_id, data)
        )

    def _report_overlaps(self, cards: Mapping[str, Card]) -> None:
        """Add a line for each card with overlapping time entries of one user, which nobody can create by hand."""
        intervals: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for entry in self.document["time_entries"]:
            user_id = self._get_author_id(entry["user_id"])
            intervals[entry["card_id"], user_id].append((entry["started_at"], entry["ended_at"] or "9999"))
        names = export_document.collect_user_names(self.document)
        for (card_id, user_id), own_intervals in intervals.items():
            latest_end, overlap_count = "", 0
            for started_at, ended_at in sorted(own_intervals):
                overlap_count += started_at < latest_end
                latest_end = max(latest_end, ended_at)
            if overlap_count:
                owner = names.get(user_id, "yours")
                message = f"Time entries of {owner} that overlap with others: {overlap_count}, kept as they were."
                self.report.add_line("card", cards[card_id].title, message)

    def _report_untrusted_users(self) -> None:
        """Add a line for each person who is not trusted, saying what became of their contributions."""
        names = export_document.collect_user_names(self.document)
        comments = Counter(comment["author_id"] for comment in self.document["comments"])
        entries = Counter(entry["user_id"] for entry in self.document["time_entries"])
        recorded_entries = Counter(
            entry["recorded_by"]
            for entry in self.document["time_entries"]
            if entry["user_id"] in self.trusted_user_ids and entry.get("recorded_by") is not None
        )
        names = {user_id: user_id for user_id in recorded_entries} | names
        members = {member["user_id"] for member in self.document["members"]}
        for user_id in sorted(names.keys() - self.trusted_user_ids):
            outcomes = []
            if user_id in members:
                outcomes.append("their membership and their assignments are left out")
            if user_id in comments:
                outcomes.append(f"their comments ({comments[user_id]}) are yours now, and begin with their name")
            if user_id in entries:
                outcomes.append(
                    f"their time entries ({entries[user_id]}) are yours now, and their name is in the notes"
                )
            if user_id in recorded_entries:
                count = recorded_entries[user_id]
                outcomes.append(f"time entries of others that they recorded ({count}) are recorded by you now")
            self.report.add_line("member", names[user_id], f"Not imported in their own name: {'; '.join(outcomes)}.")


def _find_first_list(lists: Iterable[List], stage: Stage) -> List | None:
    """Return the first list of that stage, an archived one only if there is no other."""
    candidates = [list_ for list_ in lists if list_.stage == stage]
    return min(candidates, key=lambda list_: list_.archived_at is not None, default=None)


def parse_content(value_type: type, exported: JsonObject) -> dict[str, Any]:
    """Parse the editable fields of a value of that type. A field that the export's release did not have is empty."""
    return {
        field.name: _parse_field(field, exported.get(field.name))
        for field in describe(value_type)
        if field.is_editable and field.is_plain
    }


def _parse_field(field: Field, value: Any) -> Any:
    if value is None:
        return field.metadata["null"]
    if field.type is datetime:
        return _parse_optional_timestamp(value)
    return field.type(value) if field.is_enum else value


def _parse_timestamps(exported: JsonObject) -> tuple[datetime, datetime]:
    return timestamps.parse_utc(exported["created_at"]), timestamps.parse_utc(exported["updated_at"])


def _parse_optional_timestamp(text: str | None) -> datetime | None:
    return None if text is None else timestamps.parse_utc(text)
