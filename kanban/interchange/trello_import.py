"""Import a Trello export as a new board, with a report of what did not fit.

Trello's ids begin with the creation time: their first eight hexadecimal digits are seconds since 1970. Moves of cards
come from the export's actions, of which Trello includes the last 1,000.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kanban import card_size
from kanban.changes import ActionContext, Change
from kanban.errors import Unprocessable
from kanban.flow import completions
from kanban.interchange.import_report import ImportReport
from kanban.interchange.imported_board import build_imported_board
from kanban.interchange.text_cleanup import clean_line, clean_text
from kanban.interchange.trello_mapping import map_checklists, map_comments, map_labels, map_links
from kanban.interchange.trello_reader import (
    READ_FIELDS,
    TrelloObject,
    get_objects,
    parse_creation_time,
    parse_timestamp,
    select_fields,
    sort_by_position,
)
from kanban.limits import MAX_CARDS_PER_LIST, MAX_LISTS_PER_BOARD
from kanban.ordering import ranks
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Board, Card, Enforcement, Entity, Event, EventData, List, Member, Role, Stage, TimeEntry
from kanban.views import BoardView

MAX_ACTIONS = 1_000
"""Actions that an export can hold; if it has that many, older ones are missing."""

_WORD_PATTERN = re.compile(r"\w+")
_STAGE_WORDS: tuple[tuple[Stage, frozenset[str]], ...] = (
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
_TRELLO_ID_PATTERN = re.compile("trello:[0-9a-f]{24}")
_MAX_WIP_LIMIT = 5_000


class NoListsInImport(Unprocessable):
    """Raised when an export has no list."""

    code = "no_lists_in_import"

    def __init__(self) -> None:
        super().__init__("This export has no lists: there would be no place for a card.")
        self.field = "lists"


@dataclass(frozen=True, slots=True)
class ListMove:
    """The move of a card from one list to another, both named by their Trello ids."""

    at: datetime
    source_id: str
    target_id: str


def build_external_id(export: TrelloObject) -> str:
    """Return the external id of a board that is made from this export."""
    return f"trello:{export['id']}"


def import_board(
    export: TrelloObject, context: ActionContext, *, currency: str = "USD", hourly_rate_minor: int = 0
) -> tuple[BoardView, Change, ImportReport]:
    """Build a new board from a Trello export; return the board's view, the change that creates it, and the report.

    Trello has no money: currency and hourly rate are given. Raises NoListsInImport.
    """
    return _TrelloImport(export, context, currency, hourly_rate_minor).build()


class _TrelloImport:
    """One import, built step by step."""

    def __init__(self, export: TrelloObject, context: ActionContext, currency: str, hourly_rate_minor: int) -> None:
        self.export = {
            **export,
            **{name: [select_fields(name, each) for each in get_objects(export, name)] for name in READ_FIELDS},
        }
        self.context = context
        self.currency = currency
        self.hourly_rate_minor = hourly_rate_minor
        self.report = ImportReport()
        self.board_id = context.new_id("board")
        self.lists: dict[str, List] = {}
        self.events: list[Event] = []
        self.history_start: datetime | None = None
        self.rank_by_item: dict[int, str] = {}
        self.used_external_ids: set[str] = set()
        self.checklists = _group_by_card(self.export["checklists"], lambda each: each.get("idCard"))
        self.comments = _group_by_card(
            (action for action in self.export["actions"] if action.get("type") == "commentCard"), _get_card_id
        )

    def build(self) -> tuple[BoardView, Change, ImportReport]:
        self._import_lists()
        labels = map_labels(self.export, self.board_id, self.context, self.report)
        moves = self._collect_moves()
        cards: list[Card] = []
        parts: list[Entity] = []
        for item, home in self._select_cards():
            card, own = self._build_card(item, home, labels.ids_by_trello_id, moves.get(str(item.get("id")), []))
            cards.append(card)
            parts += own
        self._report_unsupported(sum(isinstance(part, TimeEntry) for part in parts))
        owner = Member(
            self.context.new_id("member"),
            self.board_id,
            self.context.actor_id,
            Role.OWNER,
            1,
            self.context.at,
            self.context.at,
        )
        view, change = build_imported_board(
            self._build_board(),
            self.context,
            source="trello",
            report=self.report,
            history=self.events,
            members=[owner],
            lists=[*self.lists.values()],
            labels=labels.labels,
            other_values=(*cards, *parts),
        )
        return view, change, self.report

    # Lists

    def _import_lists(self) -> None:
        found = self._select_lists_with_ids()
        if not found:
            raise NoListsInImport
        # Where there are too many, those in use come first.
        kept = {id(each) for each in sorted(found, key=lambda each: bool(each.get("closed")))[:MAX_LISTS_PER_BOARD]}
        chosen = [each for each in found if id(each) in kept]
        for left in found:
            if id(left) not in kept:
                name = clean_line(left.get("name"), 100, "A list")
                self.report.add_line(
                    "list", name, f"A board has at most {MAX_LISTS_PER_BOARD} lists: left out, with its cards."
                )
        stages = self._choose_stages(chosen)
        taken: set[str] = set()
        for item, stage, rank in zip(chosen, stages, ranks.sequence_after("", len(chosen)), strict=True):
            at = parse_creation_time(item.get("id"), self.context.at)
            new = List(
                id=self.context.new_id("list"),
                board_id=self.board_id,
                name=clean_line(item.get("name"), 100, "Unnamed"),
                stage=stage,
                rank=rank,
                wip_limit=_parse_wip_limit(item.get("softLimit")),
                wip_enforcement=Enforcement.WARN,
                external_id=_claim_external_id(item.get("id"), taken),
                card_count=0,
                first_rank="",
                last_rank="",
                version=1,
                created_at=at,
                updated_at=at,
                archived_at=self.context.at if item.get("closed") else None,
            )
            self.lists[str(item.get("id"))] = new
            self.report.counts["lists"] += 1
            self._add_event(at, "list.created", new.id, None, {"name": new.name, "stage": str(stage)})

    def _select_lists_with_ids(self) -> list[TrelloObject]:
        """Return the lists in their order, without lists that have no id or the id of another list."""
        found: dict[str, TrelloObject] = {}
        for item in sort_by_position(self.export["lists"]):
            list_id = item.get("id")
            if isinstance(list_id, str) and list_id and list_id not in found:
                found[list_id] = item
            else:
                name = clean_line(item.get("name"), 100, "A list")
                self.report.add_line("list", name, "It has no id, or the same one as another list: it was left out.")
        return [*found.values()]

    def _choose_stages(self, lists: Sequence[TrelloObject]) -> list[Stage]:
        """Choose each list's stage by its name.

        If no name means done, the last list in use becomes done, unless its name means another stage.
        """
        told = [_guess_stage(list_.get("name")) for list_ in lists]
        in_use = [place for place, each in enumerate(lists) if not each.get("closed")]
        if len(in_use) > 1 and Stage.DONE not in told:
            last = in_use[-1]
            if told[last] is None:
                told[last] = Stage.DONE
                name = clean_line(lists[last].get("name"), 100, "Unnamed")
                self.report.add_line(
                    "list", name, "No list's name says that work is done there, so this one is 'done'."
                )
            else:
                self.report.add_line(
                    "lists", "", "No list's name says that work is done there: add a list of that stage."
                )
        return [stage or Stage.TODO for stage in told]

    # Cards

    def _select_cards(self) -> list[tuple[TrelloObject, List]]:
        """Return the cards that are kept, each with its list, in the order of their creation."""
        by_list: dict[str, list[TrelloObject]] = defaultdict(list)
        for item in self.export["cards"]:
            by_list[str(item.get("idList"))].append(item)
        placed: list[tuple[TrelloObject, List]] = []
        for list_id, found in by_list.items():
            home = self.lists.get(list_id)
            if home is None:
                for item in found:
                    self._report_omitted_card(item, "Its list is not in the export, or was left out.")
                continue
            in_use = 0
            for item in sort_by_position(found):
                in_use += not item.get("closed")
                if in_use > MAX_CARDS_PER_LIST and not item.get("closed"):
                    self._report_omitted_card(item, f"A list holds at most {MAX_CARDS_PER_LIST} cards.")
                else:
                    placed.append((item, home))
        order = {id(item): place for place, (item, _) in enumerate(placed)}
        self.rank_by_item = self._rank_cards(placed)
        return sorted(
            placed, key=lambda each: (parse_creation_time(each[0].get("id"), self.context.at), order[id(each[0])])
        )

    def _rank_cards(self, selected: Sequence[tuple[TrelloObject, List]]) -> dict[int, str]:
        """Return the rank of each card by the id() of its item; set the counts and rank bounds of the lists."""
        found: dict[int, str] = {}
        for trello_id, home in self.lists.items():
            own = [item for item, its in selected if its is home]
            new = ranks.sequence_after("", len(own))
            found |= {id(item): rank for item, rank in zip(own, new, strict=True)}
            if own:
                count = sum(not item.get("closed") for item in own)
                self.lists[trello_id] = replace(home, card_count=count, first_rank=new[0], last_rank=new[-1])
        return found

    def _build_card(
        self, item: TrelloObject, list_: List, label_ids: Mapping[str, str], moves: Sequence[ListMove]
    ) -> tuple[Card, list[Entity]]:
        at = parse_creation_time(item.get("id"), self.context.at)
        title = clean_line(item.get("name"), 500, "Untitled")
        if title != item.get("name"):
            self.report.add_line("card", title, "Its title was made to fit: it was blank, too long or not plain.")
        description = clean_text(item.get("desc"), 20_000)
        if isinstance(item.get("desc"), str) and len(description) < len(item["desc"].replace("\r\n", "\n")):
            self.report.add_line(
                "card", title, "Its description was shortened, or lost characters that can't be shown."
            )
        card = Card(
            id=self.context.new_id("card"),
            board_id=self.board_id,
            list_id=list_.id,
            title=title,
            description=description,
            external_id=_claim_external_id(item.get("id"), self.used_external_ids),
            rank=self.rank_by_item[id(item)],
            start_at=parse_timestamp(item.get("start")),
            due_at=parse_timestamp(item.get("due")),
            due_complete=bool(item.get("dueComplete")),
            hourly_rate_minor=None,
            label_ids=self._resolve_labels(item, title, label_ids),
            assignee_ids=(),
            links=map_links(item, title, self.report),
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
            updated_at=max(at, parse_timestamp(item.get("dateLastActivity"), at) or at),
            archived_at=self.context.at if item.get("closed") else None,
        )
        if card.start_at and card.due_at and card.start_at > card.due_at:
            self.report.add_line("card", title, "It was to start after it is due: the start was left out.")
            card = replace(card, start_at=None)
        card = replace(self._shorten(card), updated_at=min(card.updated_at, self.context.at))
        card = self._add_card_history(card, at, list_, moves)
        entries: list[TimeEntry] = []
        if list_.stage == Stage.IN_PROGRESS and card.archived_at is None and list_.archived_at is None:
            # Trello kept no time: the clock runs from now on.
            card, entry = card_clock.start_clock(card, self.hourly_rate_minor, self.context)
            entries = [entry]
        return self._add_parts(card, item, entries)

    def _add_card_history(self, card: Card, created_at: datetime, list_: List, moves: Sequence[ListMove]) -> Card:
        """Return the card with the timestamps that its moves imply, and add its events."""
        known = [
            move
            for move in moves
            if move.source_id in self.lists and move.target_id in self.lists and move.at >= created_at
        ]
        first = self.lists[known[0].source_id] if known else list_
        is_known = self.history_start is None or created_at >= self.history_start
        data: EventData = {"title": card.title, "stage": str(first.stage)}
        self._add_event(created_at, "card.created", first.id, card.id, data)
        started = created_at if is_known and first.stage == Stage.IN_PROGRESS else None
        resolved = created_at if is_known and first.stage == Stage.DONE else None
        here = first
        for move in known:
            goal = self.lists[move.target_id]
            if goal.id == here.id:
                continue
            finish = completions.build_completion_data(replace(card, started_at=started), here.stage, goal.stage)
            self._add_event(move.at, "card.moved", goal.id, card.id, {**_build_move_data(here, goal), **finish})
            if goal.stage != here.stage:
                started = started or (move.at if goal.stage == Stage.IN_PROGRESS else None)
                resolved = move.at if goal.stage == Stage.DONE else None
            here = goal
        if here.id != list_.id:
            finish = completions.build_completion_data(replace(card, started_at=started), here.stage, list_.stage)
            self._add_event(
                card.updated_at, "card.moved", list_.id, card.id, {**_build_move_data(here, list_), **finish}
            )
            if here.stage != list_.stage:
                resolved = card.updated_at
        if card.archived_at is not None:
            put_away = timestamps.format_utc(card.archived_at)
            data = {"title": card.title, "stage": str(list_.stage), "archived_at": put_away}
            self._add_event(self.context.at, "card.archived", list_.id, card.id, data)
        self.report.counts["cards"] += 1
        return replace(card, started_at=started, resolved_at=resolved if list_.stage == Stage.DONE else None)

    def _add_parts(self, card: Card, item: TrelloObject, entries: list[TimeEntry]) -> tuple[Card, list[Entity]]:
        trello_id = str(item.get("id"))
        lists = map_checklists(self.checklists[trello_id], card, self.context, self.report)
        comments = map_comments(self.comments[trello_id], card, self.context, self.report)
        count = sum(len(list_.items) for list_ in lists)
        done = sum(step.done for list_ in lists for step in list_.items)
        card = replace(card, item_count=count, done_count=done, comment_count=len(comments))
        self.report.counts["checklists"] += len(lists)
        self.report.counts["comments"] += len(comments)
        return card, [*entries, *lists, *comments]

    def _resolve_labels(self, item: TrelloObject, title: str, label_ids: Mapping[str, str]) -> tuple[str, ...]:
        found = item.get("idLabels")
        asked = [str(each) for each in found] if isinstance(found, list) else []
        missing = sum(each not in label_ids for each in asked)
        if missing:
            self.report.add_line("card", title, f"{missing} of its labels are not in the export, or were left out.")
        return tuple(sorted({label_ids[each] for each in asked if each in label_ids}))

    def _shorten(self, card: Card) -> Card:
        """Return the card without the links, then without the end of the description, that exceed its maximum size."""

        def fits(card: Card) -> bool:
            return (
                card_size.compute_stored_bytes(card.title, card.description, card.links) <= card_size.MAX_STORED_BYTES
            )

        links = len(card.links)
        while card.links and not fits(card):
            card = replace(card, links=card.links[:-1])
        if len(card.links) < links:
            left = links - len(card.links)
            self.report.add_line(
                "card", card.title, f"It has more text than can be kept: {left} of its links were left out."
            )
        if not fits(card):
            card = replace(card, description=card.description[:10_000].rstrip())
            self.report.add_line(
                "card", card.title, "Its description was shortened: it has more text than can be kept."
            )
        return card

    # History

    def _collect_moves(self) -> dict[str, list[ListMove]]:
        """Return the moves between lists by card id, oldest first."""
        actions = self.export["actions"]
        found: dict[str, list[ListMove]] = defaultdict(list)
        for action in actions:
            data, at = action.get("data"), parse_timestamp(action.get("date"))
            if at is None or not isinstance(data, dict) or action.get("type") != "updateCard":
                continue
            before, after, card = data.get("listBefore"), data.get("listAfter"), data.get("card")
            if isinstance(before, dict) and isinstance(after, dict) and isinstance(card, dict):
                move = ListMove(min(at, self.context.at), str(before.get("id")), str(after.get("id")))
                found[str(card.get("id"))].append(move)
        if len(actions) >= MAX_ACTIONS:
            times = [at for at in (parse_timestamp(action.get("date")) for action in actions) if at]
            self.history_start = min(times, default=self.context.at)
            known = f"what happened before {self.history_start:%Y-%m-%d} is not known"
            self.report.add_line("history", "", f"Trello gives the last {MAX_ACTIONS} actions: {known}.")
        for moves in found.values():
            moves.sort(key=lambda move: move.at)
        return found

    def _add_event(
        self, at: datetime, event_type: str, list_id: str | None, card_id: str | None, data: EventData
    ) -> None:
        self.events.append(Event(self.board_id, 0, event_type, at, self.context.actor_id, list_id, card_id, data))

    def _report_omitted_card(self, item: TrelloObject, reason: str) -> None:
        self.report.add_line("card", clean_line(item.get("name"), 100, "Untitled"), f"{reason} It was left out.")

    def _report_unsupported(self, clocks: int) -> None:
        if clocks:
            self.report.add_line(
                "clocks", "", f"Trello keeps no time: on {clocks} of the cards clocks run from now on."
            )
        people = sum(bool(card.get("idMembers")) for card in self.export["cards"])
        if people:
            self.report.add_line(
                "members", "", f"{people} of the cards had members: invite people, then assign them here."
            )
        fields = sum(bool(card.get("customFieldItems")) for card in self.export["cards"])
        if fields:
            self.report.add_line("custom fields", "", f"{fields} of the cards had custom fields, which are not kept.")

    def _build_board(self) -> Board:
        return Board(
            id=self.board_id,
            name=clean_line(self.export.get("name"), 100, "From Trello"),
            description=clean_text(self.export.get("desc"), 20_000),
            currency=self.currency,
            hourly_rate_minor=self.hourly_rate_minor,
            external_id=build_external_id(self.export),
            created_by=self.context.actor_id,
            seq=1,
            version=1,
            created_at=parse_creation_time(self.export.get("id"), self.context.at),
            updated_at=self.context.at,
        )


def _group_by_card(
    items: Iterable[TrelloObject], get_card_id: Callable[[TrelloObject], object]
) -> defaultdict[str, list[TrelloObject]]:
    by_card: defaultdict[str, list[TrelloObject]] = defaultdict(list)
    for item in items:
        by_card[str(get_card_id(item))].append(item)
    return by_card


def _claim_external_id(trello_id: object, used_ids: set[str]) -> str | None:
    """Return the external id for a Trello id on first sight; None for a duplicate or a malformed id."""
    name = f"trello:{trello_id}"
    if name in used_ids or not _TRELLO_ID_PATTERN.fullmatch(name):
        return None
    used_ids.add(name)
    return name


def _parse_wip_limit(value: object) -> int | None:
    """Return the WIP limit of a list as the List Limits power-up stores it; None if there is none."""
    return value if type(value) is int and 1 <= value <= _MAX_WIP_LIMIT else None


def _get_card_id(action: TrelloObject) -> object:
    data = action.get("data")
    card = data.get("card") if isinstance(data, dict) else None
    return card.get("id") if isinstance(card, dict) else None


def _build_move_data(source: List, target: List) -> EventData:
    return {"from_list_id": source.id, "from_stage": str(source.stage), "to_stage": str(target.stage)}


def _guess_stage(name: object) -> Stage | None:
    """Return the stage that a word of the list's name stands for; None if there is no such word, or if one is 'not'."""
    found = {*_WORD_PATTERN.findall(str(name).casefold())}
    return None if "not" in found else next((stage for stage, words in _STAGE_WORDS if words & found), None)
