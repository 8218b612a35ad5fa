"""Boards of our own that come back: an export made into a new board, equal to the old one as far as people may speak.

What an export says about people is what whoever made the file wrote into it. So an import makes things in the names of
its speakers only: through the API that is the caller, on the command line of the operator every user. What others said
and did becomes the importer's, and begins with their names.

History is not in an export. It is told anew, from what the cards know: when they were made, first begun, and done.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from kanban import exports, finishes, moments, ranks, timeclock
from kanban.errors import BrokenExport
from kanban.exports import Shape
from kanban.founding import LONGEST_COMMENT, LONGEST_NOTE, founded, is_signed, signed
from kanban.reports import Report
from kanban.soundness import refuse_unsound
from kanban.values import (
    MOST_MEMBERS,
    Act,
    Board,
    BoardView,
    Card,
    Change,
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

_CLOCKS_DIFFER = timedelta(hours=1)
"""How far work may lie in the future, because the clocks of two machines differ."""


def brought(document: Shape, speakers: Collection[str], act: Act) -> tuple[BoardView, Change, Report]:
    """Make a new board of who asks; return it, all that it takes to make it, and the report.

    `speakers` are the users, besides who asks, in whose names the import may make comments, time entries, members and
    assignments. All of them must exist. Raises BrokenExport for what is not one whole export.
    """
    refuse_unsound(document)
    return _Import(document, speakers, act).made()


class _Import:
    """One import of a sound document, decided step by step."""

    def __init__(self, document: Shape, speakers: Collection[str], act: Act) -> None:
        self.document = document
        self.act = act
        self.speakers = {*speakers, act.by}
        self.report = Report()
        self.events: list[Event] = []
        self.board = self._board(document["board"])
        self.members = self._members()
        self.labels = {each["id"]: self._label(each) for each in document["labels"]}
        in_order = ranks.following("", len(document["lists"]))
        self.lists = {
            each["id"]: self._list(each, rank) for each, rank in zip(document["lists"], in_order, strict=True)
        }

    def made(self) -> tuple[BoardView, Change, Report]:
        cards = {
            each["id"]: self._card(each)
            for each in sorted(self.document["cards"], key=lambda each: (each["created_at"], each["id"]))
        }
        checklists = self._checklists(cards)
        comments = self._comments(cards)
        entries = self._entries(cards)
        for card in cards.values():
            self._live(card)
        self._tell_of_others()
        self._tell_of_overlaps(cards)
        self.report.brought.update({"lists": len(self.lists), "cards": len(cards), "labels": len(self.labels)})
        self.report.brought.update({"checklists": len(checklists), "comments": len(comments)})
        self.report.brought["time_entries"] = len(entries)
        view, change = founded(
            self.board,
            self.act,
            source=exports.FORMAT,
            report=self.report,
            history=self.events,
            members=[*self.members.values()],
            lists=[*self.lists.values()],
            labels=[*self.labels.values()],
            rest=(*cards.values(), *checklists, *comments, *entries),
        )
        return view, change, self.report

    # The board

    def _board(self, shape: Shape) -> Board:
        return Board(
            id=self.act.new_id("board"),
            name=shape["name"],
            description=shape["description"],
            currency=shape["currency"],
            hourly_rate_minor=shape["hourly_rate_minor"],
            external_id=exports.external_id(self.document),
            created_by=self.act.by,
            seq=1,
            version=1,
            created_at=moments.read(shape["created_at"]),
            updated_at=self.act.at,
            archived_at=_moment(shape["archived_at"]),
        )

    def _members(self) -> dict[str, Member]:
        """Return the speakers among the members, by their users' ids; who imports owns the board."""
        roles = {each["user_id"]: Role(each["role"]) for each in self.document["members"]}
        if roles.get(self.act.by) != Role.OWNER:
            self.report.tell("members", "", "Whoever imports a board owns it: you were not an owner of this one.")
        roles = {self.act.by: Role.OWNER, **{who: role for who, role in roles.items() if who != self.act.by}}
        members = {
            who: Member(self.act.new_id("member"), self.board.id, who, role, 1, self.act.at, self.act.at)
            for who, role in roles.items()
            if who in self.speakers
        }
        if len(members) > MOST_MEMBERS:
            raise BrokenExport("members", f"With whoever imports it, the board has more than {MOST_MEMBERS} members.")
        return members

    def _here(self, user_id: str) -> str:
        """Return whose it is here what was that user's: of who imports, if the import may not speak for them."""
        return user_id if user_id in self.speakers else self.act.by

    def _text_of(self, user_id: str, name: str, text: str, most: int) -> tuple[str, bool]:
        """Return what that user wrote as it stands here, and whether it lost its end to the name before it."""
        by_importer = user_id == self.document["board"].get("imported_by")
        if user_id in self.speakers or is_signed(name, text, by_importer=by_importer):
            return text, False
        return signed(name, text, most)

    def _label(self, shape: Shape) -> Label:
        return Label(self.act.new_id("label"), self.board.id, shape["name"], Color(shape["color"]), 1, *_times(shape))

    def _list(self, shape: Shape, rank: str) -> List:
        own = [each for each in self.document["cards"] if each["list_id"] == shape["id"]]
        places = [each["place"] for each in own]
        created_at, updated_at = _times(shape)
        new = List(
            id=self.act.new_id("list"),
            board_id=self.board.id,
            name=shape["name"],
            stage=Stage(shape["stage"]),
            rank=rank,
            wip_limit=shape["wip_limit"],
            wip_enforcement=Enforcement(shape["wip_enforcement"]),
            external_id=shape["external_id"],
            card_count=sum(each["archived_at"] is None for each in own),
            first_rank=min(places, default=""),
            last_rank=max(places, default=""),
            version=1,
            created_at=created_at,
            updated_at=updated_at,
            archived_at=_moment(shape["archived_at"]),
        )
        self._tell(created_at, "list.created", new.id, None, {"name": new.name, "stage": str(new.stage)})
        return new

    # Cards

    def _card(self, shape: Shape) -> Card:
        created_at, updated_at = _times(shape)
        return Card(
            id=self.act.new_id("card"),
            board_id=self.board.id,
            list_id=self.lists[shape["list_id"]].id,
            title=shape["title"],
            description=shape["description"],
            external_id=shape["external_id"],
            rank=shape["place"],
            start_at=_moment(shape["start_at"]),
            due_at=_moment(shape["due_at"]),
            due_complete=shape["due_complete"],
            hourly_rate_minor=shape["hourly_rate_minor"],
            label_ids=tuple(sorted(self.labels[each].id for each in shape["label_ids"])),
            assignee_ids=tuple(sorted(self.members[each].id for each in shape["assignee_ids"] if each in self.members)),
            links=tuple(Link(each["url"], each["title"]) for each in shape["links"]),
            comment_count=0,
            item_count=0,
            done_count=0,
            started_at=_moment(shape["started_at"]),
            resolved_at=_moment(shape["resolved_at"]),
            tracked_seconds=0,
            tracked_cost=0,
            running=None,
            version=1,
            created_at=created_at,
            updated_at=updated_at,
            archived_at=_moment(shape["archived_at"]),
        )

    def _checklists(self, cards: dict[str, Card]) -> list[Checklist]:
        made = []
        last: defaultdict[str, str] = defaultdict(str)
        for shape in self.document["checklists"]:
            card = cards[shape["card_id"]]
            last[card.id] = ranks.after(last[card.id])
            items = tuple(self._item(each) for each in shape["items"])
            new_id = self.act.new_id("checklist")
            made.append(
                Checklist(new_id, card.board_id, card.id, shape["name"], last[card.id], items, 1, *_times(shape))
            )
            done = card.done_count + sum(each.done for each in items)
            cards[shape["card_id"]] = replace(card, item_count=card.item_count + len(items), done_count=done)
        return made

    def _item(self, shape: Shape) -> ChecklistItem:
        place = self.members.get(shape["assignee_id"])
        return ChecklistItem(
            self.act.new_id("checklist_item"),
            shape["text"],
            shape["done"],
            place.id if place else None,
            _moment(shape["due_at"]),
            1,
            *_times(shape),
        )

    def _comments(self, cards: dict[str, Card]) -> list[Comment]:
        made = []
        cut: Counter[str] = Counter()
        for shape in sorted(self.document["comments"], key=lambda each: (each["created_at"], each["id"])):
            card, author = cards[shape["card_id"]], self._here(shape["author_id"])
            text, is_cut = self._text_of(shape["author_id"], shape["author_name"], shape["text"], LONGEST_COMMENT)
            cut[shape["card_id"]] += is_cut
            new_id = self.act.new_id("comment")
            made.append(Comment(new_id, card.board_id, card.id, author, text, 1, *_times(shape)))
            cards[shape["card_id"]] = replace(card, comment_count=card.comment_count + 1)
        for card_id, count in cut.items():
            self.report.tell_of_cut_comments(cards[card_id].title, count)
        return made

    def _entries(self, cards: dict[str, Card]) -> list[TimeEntry]:
        made = []
        cut: Counter[str] = Counter()
        for number, shape in enumerate(self.document["time_entries"]):
            card = cards[shape["card_id"]]
            note, is_cut = self._text_of(shape["user_id"], shape["user_name"], shape["note"], LONGEST_NOTE)
            cut[shape["card_id"]] += is_cut
            entry = TimeEntry(
                id=self.act.new_id("time_entry"),
                board_id=card.board_id,
                card_id=card.id,
                user_id=self._here(shape["user_id"]),
                started_at=moments.read(shape["started_at"]),
                ended_at=_moment(shape["ended_at"]),
                rate_minor=shape["hourly_rate_minor"],
                note=note,
                version=1,
            )
            self._refuse_times(entry, f"time_entries/{number}")
            if entry.ended_at is None:
                cards[shape["card_id"]] = self._running(card, entry, number)
            else:
                seconds = timeclock.entry_seconds(entry, entry.ended_at)
                cards[shape["card_id"]] = replace(
                    card,
                    tracked_seconds=card.tracked_seconds + seconds,
                    tracked_cost=card.tracked_cost + seconds * entry.rate_minor,
                )
            made.append(entry)
        for card_id, count in cut.items():
            self.report.tell_of_cut_notes(cards[card_id].title, count)
        return made

    def _refuse_times(self, entry: TimeEntry, field: str) -> None:
        if entry.ended_at and entry.ended_at < entry.started_at:
            raise BrokenExport(f"{field}/ended_at", "A time entry ends before it starts.")
        if max(entry.started_at, entry.ended_at or entry.started_at) > self.act.at + _CLOCKS_DIFFER:
            raise BrokenExport(field, "A time entry lies in the future.")

    def _running(self, card: Card, entry: TimeEntry, number: int) -> Card:
        """The card with its clock running since the entry began."""
        home = next(each for each in self.lists.values() if each.id == card.list_id)
        # Who archives a board stops its clocks, and may start one again: so the board's own archival says nothing.
        put_away = (home.archived_at, card.archived_at) != (None, None)
        if card.running or put_away or home.stage != Stage.IN_PROGRESS:
            raise BrokenExport(
                f"time_entries/{number}/ended_at",
                "A time entry is open, but its card is not in progress, is archived, or has another one that is open.",
            )
        return replace(card, running=entry)

    # History

    def _live(self, card: Card) -> None:
        """Tell of the card as far as it knows itself: where it was made, begun and done, and where it is."""
        lists = [*self.lists.values()]
        home = next(each for each in lists if each.id == card.list_id)
        moved = card.started_at is not None or card.resolved_at is not None
        first = (_first(lists, Stage.TODO) or _first(lists, Stage.IN_PROGRESS)) if moved else home
        begun_in = home if home.stage == Stage.IN_PROGRESS else _first(lists, Stage.IN_PROGRESS)
        stops = [(card.created_at, first or home)]
        for at, stop in ((card.started_at, begun_in), (card.resolved_at, home), (card.updated_at, home)):
            if at is None or stop is None or stop is stops[-1][1]:
                continue
            if at > stops[-1][0]:
                stops.append((at, stop))
            else:
                stops[-1] = (stops[-1][0], stop)
        here = stops[0][1]
        self._tell(card.created_at, "card.created", here.id, card.id, {"title": card.title, "stage": str(here.stage)})
        for at, stop in stops[1:]:
            data = {"from_list_id": here.id, "from_stage": str(here.stage), "to_stage": str(stop.stage)}
            finish = finishes.told(card, here.stage, stop.stage)
            self._tell(at, "card.moved", stop.id, card.id, {**data, **finish})
            here = stop
        if card.archived_at is not None:
            put_away = moments.written(card.archived_at)
            data = {"title": card.title, "stage": str(home.stage), "archived_at": put_away}
            self._tell(card.archived_at, "card.archived", home.id, card.id, data)

    def _tell(self, at: datetime, kind: str, list_id: str | None, card_id: str | None, data: EventData) -> None:
        self.events.append(Event(self.board.id, 0, kind, min(at, self.act.at), self.act.by, list_id, card_id, data))

    def _tell_of_overlaps(self, cards: Mapping[str, Card]) -> None:
        """One line for each card on which somebody worked twice at the same time, which no one can add here."""
        stretches: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for each in self.document["time_entries"]:
            who = self._here(each["user_id"])
            stretches[each["card_id"], who].append((each["started_at"], each["ended_at"] or "9999"))
        names = exports.people(self.document)
        for (card_id, who), found in stretches.items():
            until, overlapping = "", 0
            for started_at, ended_at in sorted(found):
                overlapping += started_at < until
                until = max(until, ended_at)
            if overlapping:
                whose = names.get(who, "yours")
                message = f"Time entries of {whose} that overlap with others: {overlapping}, kept as they were."
                self.report.tell("card", cards[card_id].title, message)

    def _tell_of_others(self) -> None:
        """Add a line for each person in whose name the import may not speak."""
        names = exports.people(self.document)
        comments = Counter(each["author_id"] for each in self.document["comments"])
        entries = Counter(each["user_id"] for each in self.document["time_entries"])
        members = {each["user_id"] for each in self.document["members"]}
        for who in sorted(names.keys() - self.speakers):
            said = [
                *(["their place as a member, and what was assigned to them, is left out"] * (who in members)),
                *([f"their comments ({comments[who]}) are yours now, and begin with their name"] * (who in comments)),
                *(
                    [f"their time entries ({entries[who]}) are yours now, and their name is in the notes"]
                    * (who in entries)
                ),
            ]
            self.report.tell("member", names[who], f"Not imported in their own name: {'; '.join(said)}.")


def _first(lists: Iterable[List], stage: Stage) -> List | None:
    """The first list of that stage; one that is archived only where none is in use."""
    found = [each for each in lists if each.stage == stage]
    return min(found, key=lambda each: each.archived_at is not None, default=None)


def _times(shape: Shape) -> tuple[datetime, datetime]:
    return moments.read(shape["created_at"]), moments.read(shape["updated_at"])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moments.read(text)
