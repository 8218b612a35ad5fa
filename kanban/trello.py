"""Boards from Trello: an export as it comes, made into a new board, with a report of what did not fit.

The times are Trello's: a thing was made at the second that the first eight hexadecimal digits of its id tell. Moves of
cards come from the export's actions, of which Trello gives the last thousand.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kanban import finishes, moments, ranks, sizes, timeclock
from kanban.cleaned import block, line
from kanban.errors import NoListsInImport
from kanban.founding import founded
from kanban.reports import Report
from kanban.trello_items import READ, Item, in_order, items, made_at, moment, read
from kanban.trello_parts import checklists_of, comments_of, labels_of, links_of
from kanban.values import (
    MOST_CARDS,
    MOST_LISTS,
    Act,
    Board,
    BoardView,
    Card,
    Change,
    Enforcement,
    Event,
    EventData,
    List,
    Member,
    Role,
    Stage,
    TimeEntry,
    Value,
)

MOST_ACTIONS = 1_000
"""Actions that an export holds: with as many, older ones are missing."""

_WORD = re.compile(r"\w+")
_STAGES: tuple[tuple[Stage, frozenset[str]], ...] = (
    (
        Stage.DONE,
        frozenset(("done", "closed", "complete", "completed", "finished", "shipped", "released", "deployed", "live"))
        | frozenset(("archive", "archived", "resolved")),
    ),
    (
        Stage.IN_PROGRESS,
        frozenset(("doing", "progress", "wip", "review", "reviewing", "testing", "development", "working", "active")),
    ),
)
_TRELLO_ID = re.compile("trello:[0-9a-f]{24}")
_MOST_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Move:
    """A card went from one list to another; both by Trello's ids."""

    at: datetime
    origin: str
    goal: str


def external_id(export: Item) -> str:
    """What a board made from this export is known by."""
    return f"trello:{export['id']}"


def brought(
    export: Item, act: Act, *, currency: str = "USD", hourly_rate_minor: int = 0
) -> tuple[BoardView, Change, Report]:
    """A new board of who asks, all that it takes to make it, and the report. Raises NoListsInImport.

    Trello knows no money: the board's currency and rate are those given.
    """
    return _Import(export, act, currency, hourly_rate_minor).made()


class _Import:
    """One import, decided step by step."""

    def __init__(self, export: Item, act: Act, currency: str, hourly_rate_minor: int) -> None:
        self.export = {**export, **{name: [read(name, each) for each in items(export, name)] for name in READ}}
        self.act = act
        self.currency = currency
        self.hourly_rate_minor = hourly_rate_minor
        self.report = Report()
        self.board_id = act.new_id("board")
        self.lists: dict[str, List] = {}
        self.events: list[Event] = []
        self.cut_at: datetime | None = None
        self.ranks: dict[int, str] = {}
        self.taken: set[str] = set()
        self.checklists = _by_card(self.export["checklists"], lambda each: each.get("idCard"))
        self.comments = _by_card(
            (each for each in self.export["actions"] if each.get("type") == "commentCard"), _card_of_action
        )

    def made(self) -> tuple[BoardView, Change, Report]:
        self._take_lists()
        labels = labels_of(self.export, self.board_id, self.act, self.report)
        moves = self._moves()
        cards: list[Card] = []
        parts: list[Value] = []
        for item, home in self._placed_cards():
            card, own = self._card(item, home, labels.ids, moves.get(str(item.get("id")), []))
            cards.append(card)
            parts += own
        self._tell_of_the_rest(sum(isinstance(each, TimeEntry) for each in parts))
        owner = Member(self.act.new_id("member"), self.board_id, self.act.by, Role.OWNER, 1, self.act.at, self.act.at)
        view, change = founded(
            self._board(),
            self.act,
            source="trello",
            report=self.report,
            history=self.events,
            members=[owner],
            lists=[*self.lists.values()],
            labels=labels.labels,
            rest=(*cards, *parts),
        )
        return view, change, self.report

    # Lists

    def _take_lists(self) -> None:
        found = self._lists_with_ids()
        if not found:
            raise NoListsInImport
        # Where there are too many, those in use come first.
        kept = {id(each) for each in sorted(found, key=lambda each: bool(each.get("closed")))[:MOST_LISTS]}
        chosen = [each for each in found if id(each) in kept]
        for left in found:
            if id(left) not in kept:
                name = line(left.get("name"), 100, "A list")
                self.report.tell("list", name, f"A board has at most {MOST_LISTS} lists: left out, with its cards.")
        stages = self._stages(chosen)
        taken: set[str] = set()
        for item, stage, rank in zip(chosen, stages, ranks.following("", len(chosen)), strict=True):
            at = made_at(item.get("id"), self.act.at)
            new = List(
                id=self.act.new_id("list"),
                board_id=self.board_id,
                name=line(item.get("name"), 100, "Unnamed"),
                stage=stage,
                rank=rank,
                wip_limit=_limit(item.get("softLimit")),
                wip_enforcement=Enforcement.WARN,
                external_id=_once(item.get("id"), taken),
                card_count=0,
                first_rank="",
                last_rank="",
                version=1,
                created_at=at,
                updated_at=at,
                archived_at=self.act.at if item.get("closed") else None,
            )
            self.lists[str(item.get("id"))] = new
            self.report.brought["lists"] += 1
            self._tell(at, "list.created", new.id, None, {"name": new.name, "stage": str(stage)})

    def _lists_with_ids(self) -> list[Item]:
        """The lists in their order, without those whose cards cannot be told from those of another list."""
        found: dict[str, Item] = {}
        for item in in_order(self.export["lists"]):
            list_id = item.get("id")
            if isinstance(list_id, str) and list_id and list_id not in found:
                found[list_id] = item
            else:
                name = line(item.get("name"), 100, "A list")
                self.report.tell("list", name, "It has no id, or the same one as another list: it was left out.")
        return [*found.values()]

    def _stages(self, lists: Sequence[Item]) -> list[Stage]:
        """By what their names say. Where none says that it is done, the last of several in use is, if it may be."""
        told = [_stage_of(each.get("name")) for each in lists]
        in_use = [place for place, each in enumerate(lists) if not each.get("closed")]
        if len(in_use) > 1 and Stage.DONE not in told:
            last = in_use[-1]
            if told[last] is None:
                told[last] = Stage.DONE
                name = line(lists[last].get("name"), 100, "Unnamed")
                self.report.tell("list", name, "No list's name says that work is done there, so this one is 'done'.")
            else:
                self.report.tell("lists", "", "No list's name says that work is done there: add a list of that stage.")
        return [stage or Stage.TODO for stage in told]

    # Cards

    def _placed_cards(self) -> list[tuple[Item, List]]:
        """The cards that have a place, in the order in which they were made."""
        by_list: dict[str, list[Item]] = defaultdict(list)
        for item in self.export["cards"]:
            by_list[str(item.get("idList"))].append(item)
        placed: list[tuple[Item, List]] = []
        for list_id, found in by_list.items():
            home = self.lists.get(list_id)
            if home is None:
                for item in found:
                    self._leave_out(item, "Its list is not in the export, or was left out.")
                continue
            in_use = 0
            for item in in_order(found):
                in_use += not item.get("closed")
                if in_use > MOST_CARDS and not item.get("closed"):
                    self._leave_out(item, f"A list holds at most {MOST_CARDS} cards.")
                else:
                    placed.append((item, home))
        order = {id(item): place for place, (item, _) in enumerate(placed)}
        self.ranks = self._ranked(placed)
        return sorted(placed, key=lambda each: (made_at(each[0].get("id"), self.act.at), order[id(each[0])]))

    def _ranked(self, placed: Sequence[tuple[Item, List]]) -> dict[int, str]:
        """The rank of each card in its list; the lists learn their bounds and counts."""
        found: dict[int, str] = {}
        for trello_id, home in self.lists.items():
            own = [item for item, its in placed if its is home]
            new = ranks.following("", len(own))
            found |= {id(item): rank for item, rank in zip(own, new, strict=True)}
            if own:
                count = sum(not item.get("closed") for item in own)
                self.lists[trello_id] = replace(home, card_count=count, first_rank=new[0], last_rank=new[-1])
        return found

    def _card(
        self, item: Item, home: List, label_ids: Mapping[str, str], moves: Sequence[Move]
    ) -> tuple[Card, list[Value]]:
        at = made_at(item.get("id"), self.act.at)
        title = line(item.get("name"), 500, "Untitled")
        if title != item.get("name"):
            self.report.tell("card", title, "Its title was made to fit: it was blank, too long or not plain.")
        description = block(item.get("desc"), 20_000)
        if isinstance(item.get("desc"), str) and len(description) < len(item["desc"].replace("\r\n", "\n")):
            self.report.tell("card", title, "Its description was shortened, or lost characters that can't be shown.")
        card = Card(
            id=self.act.new_id("card"),
            board_id=self.board_id,
            list_id=home.id,
            title=title,
            description=description,
            external_id=_once(item.get("id"), self.taken),
            rank=self.ranks[id(item)],
            start_at=moment(item.get("start")),
            due_at=moment(item.get("due")),
            due_complete=bool(item.get("dueComplete")),
            hourly_rate_minor=None,
            label_ids=self._labels(item, title, label_ids),
            assignee_ids=(),
            links=links_of(item, title, self.report),
            comment_count=0,
            item_count=0,
            done_count=0,
            started_at=None,
            resolved_at=None,
            tracked_seconds=0,
            tracked_cost=0,
            running=None,
            version=1,
            created_at=at,
            updated_at=max(at, moment(item.get("dateLastActivity"), at) or at),
            archived_at=self.act.at if item.get("closed") else None,
        )
        if card.start_at and card.due_at and card.start_at > card.due_at:
            self.report.tell("card", title, "It was to start after it is due: the start was left out.")
            card = replace(card, start_at=None)
        card = replace(self._short_enough(card), updated_at=min(card.updated_at, self.act.at))
        card = self._lived(card, at, home, moves)
        entries: list[TimeEntry] = []
        if home.stage == Stage.IN_PROGRESS and card.archived_at is None and home.archived_at is None:
            # Trello kept no time: the clock runs from now on.
            card, entry = timeclock.opened(card, self.hourly_rate_minor, self.act)
            entries = [entry]
        return self._with_parts(card, item, entries)

    def _lived(self, card: Card, at: datetime, home: List, moves: Sequence[Move]) -> Card:
        """The card with the times of its stages, as far as the actions tell; writes its events."""
        known = [move for move in moves if move.origin in self.lists and move.goal in self.lists and move.at >= at]
        first = self.lists[known[0].origin] if known else home
        is_known = self.cut_at is None or at >= self.cut_at
        data: EventData = {"title": card.title, "stage": str(first.stage)}
        self._tell(at, "card.created", first.id, card.id, data)
        started = at if is_known and first.stage == Stage.IN_PROGRESS else None
        resolved = at if is_known and first.stage == Stage.DONE else None
        here = first
        for move in known:
            goal = self.lists[move.goal]
            if goal.id == here.id:
                continue
            finish = finishes.told(replace(card, started_at=started), here.stage, goal.stage)
            self._tell(move.at, "card.moved", goal.id, card.id, {**_moved_data(here, goal), **finish})
            if goal.stage != here.stage:
                started = started or (move.at if goal.stage == Stage.IN_PROGRESS else None)
                resolved = move.at if goal.stage == Stage.DONE else None
            here = goal
        if here.id != home.id:
            finish = finishes.told(replace(card, started_at=started), here.stage, home.stage)
            self._tell(card.updated_at, "card.moved", home.id, card.id, {**_moved_data(here, home), **finish})
            if here.stage != home.stage:
                resolved = card.updated_at
        if card.archived_at is not None:
            put_away = moments.written(card.archived_at)
            data = {"title": card.title, "stage": str(home.stage), "archived_at": put_away}
            self._tell(self.act.at, "card.archived", home.id, card.id, data)
        self.report.brought["cards"] += 1
        return replace(card, started_at=started, resolved_at=resolved if home.stage == Stage.DONE else None)

    def _with_parts(self, card: Card, item: Item, entries: list[TimeEntry]) -> tuple[Card, list[Value]]:
        trello_id = str(item.get("id"))
        lists = checklists_of(self.checklists[trello_id], card, self.act, self.report)
        comments = comments_of(self.comments[trello_id], card, self.act, self.report)
        count = sum(len(each.items) for each in lists)
        done = sum(step.done for each in lists for step in each.items)
        card = replace(card, item_count=count, done_count=done, comment_count=len(comments))
        self.report.brought["checklists"] += len(lists)
        self.report.brought["comments"] += len(comments)
        return card, [*entries, *lists, *comments]

    def _labels(self, item: Item, title: str, label_ids: Mapping[str, str]) -> tuple[str, ...]:
        found = item.get("idLabels")
        asked = [str(each) for each in found] if isinstance(found, list) else []
        missing = sum(each not in label_ids for each in asked)
        if missing:
            self.report.tell("card", title, f"{missing} of its labels are not in the export, or were left out.")
        return tuple(sorted({label_ids[each] for each in asked if each in label_ids}))

    def _short_enough(self, card: Card) -> Card:
        """The card without the links, and then the end of the description, that cannot be kept."""

        def fits(card: Card) -> bool:
            return sizes.kept_size(card.title, card.description, card.links) <= sizes.MOST_KEPT

        links = len(card.links)
        while card.links and not fits(card):
            card = replace(card, links=card.links[:-1])
        if len(card.links) < links:
            left = links - len(card.links)
            self.report.tell(
                "card", card.title, f"It has more text than can be kept: {left} of its links were left out."
            )
        if not fits(card):
            card = replace(card, description=card.description[:10_000].rstrip())
            self.report.tell("card", card.title, "Its description was shortened: it has more text than can be kept.")
        return card

    # History

    def _moves(self) -> dict[str, list[Move]]:
        """Moves between lists by card, the oldest first."""
        actions = self.export["actions"]
        found: dict[str, list[Move]] = defaultdict(list)
        for action in actions:
            data, at = action.get("data"), moment(action.get("date"))
            if at is None or not isinstance(data, dict) or action.get("type") != "updateCard":
                continue
            before, after, card = data.get("listBefore"), data.get("listAfter"), data.get("card")
            if isinstance(before, dict) and isinstance(after, dict) and isinstance(card, dict):
                move = Move(min(at, self.act.at), str(before.get("id")), str(after.get("id")))
                found[str(card.get("id"))].append(move)
        if len(actions) >= MOST_ACTIONS:
            times = [at for at in (moment(each.get("date")) for each in actions) if at]
            self.cut_at = min(times, default=self.act.at)
            known = f"what happened before {self.cut_at:%Y-%m-%d} is not known"
            self.report.tell("history", "", f"Trello gives the last {MOST_ACTIONS} actions: {known}.")
        for moves in found.values():
            moves.sort(key=lambda move: move.at)
        return found

    def _tell(self, at: datetime, kind: str, list_id: str | None, card_id: str | None, data: EventData) -> None:
        self.events.append(Event(self.board_id, 0, kind, at, self.act.by, list_id, card_id, data))

    def _leave_out(self, item: Item, why: str) -> None:
        self.report.tell("card", line(item.get("name"), 100, "Untitled"), f"{why} It was left out.")

    def _tell_of_the_rest(self, clocks: int) -> None:
        if clocks:
            self.report.tell("clocks", "", f"Trello keeps no time: on {clocks} of the cards clocks run from now on.")
        people = sum(bool(each.get("idMembers")) for each in self.export["cards"])
        if people:
            self.report.tell("members", "", f"{people} of the cards had members: invite people, then assign them here.")
        fields = sum(bool(each.get("customFieldItems")) for each in self.export["cards"])
        if fields:
            self.report.tell("custom fields", "", f"{fields} of the cards had custom fields, which are not kept.")

    def _board(self) -> Board:
        return Board(
            id=self.board_id,
            name=line(self.export.get("name"), 100, "From Trello"),
            description=block(self.export.get("desc"), 20_000),
            currency=self.currency,
            hourly_rate_minor=self.hourly_rate_minor,
            external_id=external_id(self.export),
            created_by=self.act.by,
            seq=1,
            version=1,
            created_at=made_at(self.export.get("id"), self.act.at),
            updated_at=self.act.at,
        )


def _by_card(found: Iterable[Item], card_of: Callable[[Item], object]) -> defaultdict[str, list[Item]]:
    by_card: defaultdict[str, list[Item]] = defaultdict(list)
    for each in found:
        by_card[str(card_of(each))].append(each)
    return by_card


def _once(trello_id: object, taken: set[str]) -> str | None:
    """What a thing is known by, the first time that its id comes along."""
    name = f"trello:{trello_id}"
    if name in taken or not _TRELLO_ID.fullmatch(name):
        return None
    taken.add(name)
    return name


def _limit(found: object) -> int | None:
    """The limit of a list, as the power-up of that name keeps it."""
    return found if type(found) is int and 1 <= found <= _MOST_LIMIT else None


def _card_of_action(action: Item) -> object:
    data = action.get("data")
    card = data.get("card") if isinstance(data, dict) else None
    return card.get("id") if isinstance(card, dict) else None


def _moved_data(here: List, goal: List) -> EventData:
    return {"from_list_id": here.id, "from_stage": str(here.stage), "to_stage": str(goal.stage)}


def _stage_of(name: object) -> Stage | None:
    """What a list's name says, word by word; 'not done' says nothing."""
    found = {*_WORD.findall(str(name).casefold())}
    return None if "not" in found else next((stage for stage, words in _STAGES if words & found), None)
