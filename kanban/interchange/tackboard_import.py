"""Import a Tackboard export as a new board.

An export says about people whatever its author wrote into it. An import therefore creates comments, time entries and
assignments in the name of trusted users only: the caller when it comes through the API, every existing user when the
operator runs it on the command line. What other people wrote becomes the importer's and begins with their name.

An export holds no history. It is rebuilt from what the cards know: when they were created, first started and completed.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from kanban.changes import ActionContext, Change
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
from kanban.ordering import ranks
from kanban.timekeeping import card_clock, timestamps
from kanban.values import (
    Board,
    Card,
    Checklist,
    ChecklistItem,
    Color,
    Comment,
    Enforcement,
    Event,
    EventData,
    Label,
    Link,
    List,
    Member,
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
        in_order = ranks.sequence_after("", len(document["lists"]))
        self.lists = {
            list_["id"]: self._build_list(list_, rank) for list_, rank in zip(document["lists"], in_order, strict=True)
        }

    def build(self) -> tuple[BoardView, Change, ImportReport]:
        cards = {
            card["id"]: self._build_card(card)
            for card in sorted(self.document["cards"], key=lambda each: (each["created_at"], each["id"]))
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
        return Board(
            id=self.context.new_id("board"),
            name=exported["name"],
            description=exported["description"],
            currency=exported["currency"],
            hourly_rate_minor=exported["hourly_rate_minor"],
            external_id=export_document.build_external_id(self.document),
            created_by=self.context.actor_id,
            seq=1,
            version=1,
            created_at=timestamps.parse_utc(exported["created_at"]),
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
            **{who: role for who, role in roles.items() if who != self.context.actor_id},
        }
        members = {
            who: Member(self.context.new_id("member"), self.board.id, who, role, 1, self.context.at, self.context.at)
            for who, role in roles.items()
            if who in self.trusted_user_ids
        }
        if len(members) > MAX_MEMBERS_PER_BOARD:
            raise BrokenExport(
                "members", f"With whoever imports it, the board has more than {MAX_MEMBERS_PER_BOARD} members."
            )
        return members

    def _get_owner_id(self, user_id: str) -> str:
        """Return the user who gets a person's comment or entry: the person if trusted, otherwise the importer."""
        return user_id if user_id in self.trusted_user_ids else self.context.actor_id

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
        own = [card for card in self.document["cards"] if card["list_id"] == exported["id"]]
        places = [each["place"] for each in own]
        created_at, updated_at = _parse_timestamps(exported)
        new = List(
            id=self.context.new_id("list"),
            board_id=self.board.id,
            name=exported["name"],
            stage=Stage(exported["stage"]),
            rank=rank,
            wip_limit=exported["wip_limit"],
            wip_enforcement=Enforcement(exported["wip_enforcement"]),
            external_id=exported["external_id"],
            card_count=sum(each["archived_at"] is None for each in own),
            first_rank=min(places, default=""),
            last_rank=max(places, default=""),
            version=1,
            created_at=created_at,
            updated_at=updated_at,
            archived_at=_parse_optional_timestamp(exported["archived_at"]),
        )
        self._add_event(created_at, "list.created", new.id, None, {"name": new.name, "stage": str(new.stage)})
        return new

    # Cards

    def _build_card(self, exported: JsonObject) -> Card:
        created_at, updated_at = _parse_timestamps(exported)
        return Card(
            id=self.context.new_id("card"),
            board_id=self.board.id,
            list_id=self.lists[exported["list_id"]].id,
            title=exported["title"],
            description=exported["description"],
            external_id=exported["external_id"],
            rank=exported["place"],
            start_at=_parse_optional_timestamp(exported["start_at"]),
            due_at=_parse_optional_timestamp(exported["due_at"]),
            due_complete=exported["due_complete"],
            hourly_rate_minor=exported["hourly_rate_minor"],
            label_ids=tuple(sorted(self.labels[label_id].id for label_id in exported["label_ids"])),
            assignee_ids=tuple(
                sorted(self.members[user_id].id for user_id in exported["assignee_ids"] if user_id in self.members)
            ),
            links=tuple(Link(link["url"], link["title"]) for link in exported["links"]),
            comment_count=0,
            item_count=0,
            done_count=0,
            started_at=_parse_optional_timestamp(exported["started_at"]),
            resolved_at=_parse_optional_timestamp(exported["resolved_at"]),
            tracked_seconds=0,
            tracked_cost=0,
            running=None,
            version=1,
            created_at=created_at,
            updated_at=updated_at,
            archived_at=_parse_optional_timestamp(exported["archived_at"]),
        )

    def _build_checklists(self, cards: dict[str, Card]) -> list[Checklist]:
        made = []
        last: defaultdict[str, str] = defaultdict(str)
        for shape in self.document["checklists"]:
            card = cards[shape["card_id"]]
            last[card.id] = ranks.after(last[card.id])
            items = tuple(self._build_item(item) for item in shape["items"])
            new_id = self.context.new_id("checklist")
            made.append(
                Checklist(
                    new_id, card.board_id, card.id, shape["name"], last[card.id], items, 1, *_parse_timestamps(shape)
                )
            )
            done = card.done_count + sum(item.done for item in items)
            cards[shape["card_id"]] = replace(card, item_count=card.item_count + len(items), done_count=done)
        return made

    def _build_item(self, exported: JsonObject) -> ChecklistItem:
        place = self.members.get(exported["assignee_id"])
        return ChecklistItem(
            self.context.new_id("checklist_item"),
            exported["text"],
            exported["done"],
            place.id if place else None,
            _parse_optional_timestamp(exported["due_at"]),
            1,
            *_parse_timestamps(exported),
        )

    def _build_comments(self, cards: dict[str, Card]) -> list[Comment]:
        made = []
        cut: Counter[str] = Counter()
        for shape in sorted(self.document["comments"], key=lambda each: (each["created_at"], each["id"])):
            card, author = cards[shape["card_id"]], self._get_owner_id(shape["author_id"])
            text, is_cut = self._attribute_if_needed(
                shape["author_id"], shape["author_name"], shape["text"], MAX_COMMENT_LENGTH
            )
            cut[shape["card_id"]] += is_cut
            new_id = self.context.new_id("comment")
            made.append(Comment(new_id, card.board_id, card.id, author, text, 1, *_parse_timestamps(shape)))
            cards[shape["card_id"]] = replace(card, comment_count=card.comment_count + 1)
        for card_id, count in cut.items():
            self.report.add_truncated_comments(cards[card_id].title, count)
        return made

    def _build_time_entries(self, cards: dict[str, Card]) -> list[TimeEntry]:
        made = []
        cut: Counter[str] = Counter()
        for number, shape in enumerate(self.document["time_entries"]):
            card = cards[shape["card_id"]]
            note, is_cut = self._attribute_if_needed(
                shape["user_id"], shape["user_name"], shape["note"], MAX_NOTE_LENGTH
            )
            cut[shape["card_id"]] += is_cut
            entry = TimeEntry(
                id=self.context.new_id("time_entry"),
                board_id=card.board_id,
                card_id=card.id,
                user_id=self._get_owner_id(shape["user_id"]),
                started_at=timestamps.parse_utc(shape["started_at"]),
                ended_at=_parse_optional_timestamp(shape["ended_at"]),
                rate_minor=shape["hourly_rate_minor"],
                note=note,
                version=1,
            )
            self._validate_interval(entry, f"time_entries/{number}")
            if entry.ended_at is None:
                cards[shape["card_id"]] = self._start_clock(card, entry, number)
            else:
                seconds = card_clock.count_entry_seconds(entry, entry.ended_at)
                cards[shape["card_id"]] = replace(
                    card,
                    tracked_seconds=card.tracked_seconds + seconds,
                    tracked_cost=card.tracked_cost + seconds * entry.rate_minor,
                )
            made.append(entry)
        for card_id, count in cut.items():
            self.report.add_truncated_notes(cards[card_id].title, count)
        return made

    def _validate_interval(self, entry: TimeEntry, field: str) -> None:
        if entry.ended_at and entry.ended_at < entry.started_at:
            raise BrokenExport(f"{field}/ended_at", "A time entry ends before it starts.")
        if max(entry.started_at, entry.ended_at or entry.started_at) > self.context.at + _MAX_CLOCK_SKEW:
            raise BrokenExport(field, "A time entry lies in the future.")

    def _start_clock(self, card: Card, entry: TimeEntry, number: int) -> Card:
        """Return the card with its clock running since the entry began. Raises BrokenExport if its clock can't run."""
        home = next(list_ for list_ in self.lists.values() if list_.id == card.list_id)
        # Who archives a board stops its clocks, and may start one again: so the board's own archival says nothing.
        put_away = (home.archived_at, card.archived_at) != (None, None)
        if card.running or put_away or home.stage != Stage.IN_PROGRESS:
            raise BrokenExport(
                f"time_entries/{number}/ended_at",
                "A time entry is open, but its card is not in progress, is archived, or has another one that is open.",
            )
        return replace(card, running=entry)

    # History

    def _add_card_history(self, card: Card) -> None:
        """Add the events that the card's timestamps imply: created, started, completed, archived."""
        lists = [*self.lists.values()]
        home = next(list_ for list_ in lists if list_.id == card.list_id)
        moved = card.started_at is not None or card.resolved_at is not None
        first = (_find_first_list(lists, Stage.TODO) or _find_first_list(lists, Stage.IN_PROGRESS)) if moved else home
        begun_in = home if home.stage == Stage.IN_PROGRESS else _find_first_list(lists, Stage.IN_PROGRESS)
        stops = [(card.created_at, first or home)]
        for at, stop in ((card.started_at, begun_in), (card.resolved_at, home), (card.updated_at, home)):
            if at is None or stop is None or stop is stops[-1][1]:
                continue
            if at > stops[-1][0]:
                stops.append((at, stop))
            else:
                stops[-1] = (stops[-1][0], stop)
        here = stops[0][1]
        self._add_event(
            card.created_at, "card.created", here.id, card.id, {"title": card.title, "stage": str(here.stage)}
        )
        for at, stop in stops[1:]:
            data = {"from_list_id": here.id, "from_stage": str(here.stage), "to_stage": str(stop.stage)}
            finish = completions.build_completion_data(card, here.stage, stop.stage)
            self._add_event(at, "card.moved", stop.id, card.id, {**data, **finish})
            here = stop
        if card.archived_at is not None:
            put_away = timestamps.format_utc(card.archived_at)
            data = {"title": card.title, "stage": str(home.stage), "archived_at": put_away}
            self._add_event(card.archived_at, "card.archived", home.id, card.id, data)

    def _add_event(
        self, at: datetime, event_type: str, list_id: str | None, card_id: str | None, data: EventData
    ) -> None:
        self.events.append(
            Event(self.board.id, 0, event_type, min(at, self.context.at), self.context.actor_id, list_id, card_id, data)
        )

    def _report_overlaps(self, cards: Mapping[str, Card]) -> None:
        """Add a line for each card with overlapping time entries of one user, which nobody can create by hand."""
        stretches: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for entry in self.document["time_entries"]:
            who = self._get_owner_id(entry["user_id"])
            stretches[entry["card_id"], who].append((entry["started_at"], entry["ended_at"] or "9999"))
        names = export_document.collect_user_names(self.document)
        for (card_id, who), found in stretches.items():
            until, overlapping = "", 0
            for started_at, ended_at in sorted(found):
                overlapping += started_at < until
                until = max(until, ended_at)
            if overlapping:
                whose = names.get(who, "yours")
                message = f"Time entries of {whose} that overlap with others: {overlapping}, kept as they were."
                self.report.add_line("card", cards[card_id].title, message)

    def _report_untrusted_users(self) -> None:
        """Add a line for each person who is not trusted, saying what became of their contributions."""
        names = export_document.collect_user_names(self.document)
        comments = Counter(comment["author_id"] for comment in self.document["comments"])
        entries = Counter(entry["user_id"] for entry in self.document["time_entries"])
        members = {member["user_id"] for member in self.document["members"]}
        for who in sorted(names.keys() - self.trusted_user_ids):
            said = [
                *(["their place as a member, and what was assigned to them, is left out"] * (who in members)),
                *([f"their comments ({comments[who]}) are yours now, and begin with their name"] * (who in comments)),
                *(
                    [f"their time entries ({entries[who]}) are yours now, and their name is in the notes"]
                    * (who in entries)
                ),
            ]
            self.report.add_line("member", names[who], f"Not imported in their own name: {'; '.join(said)}.")


def _find_first_list(lists: Iterable[List], stage: Stage) -> List | None:
    """Return the first list of that stage, an archived one only if there is no other."""
    found = [list_ for list_ in lists if list_.stage == stage]
    return min(found, key=lambda each: each.archived_at is not None, default=None)


def _parse_timestamps(exported: JsonObject) -> tuple[datetime, datetime]:
    return timestamps.parse_utc(exported["created_at"]), timestamps.parse_utc(exported["updated_at"])


def _parse_optional_timestamp(text: str | None) -> datetime | None:
    return None if text is None else timestamps.parse_utc(text)
