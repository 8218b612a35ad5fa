"""Import a Trello export as a new board, and report what could not be imported.

Trello's ids begin with the creation time: their first eight hexadecimal digits are seconds since 1970. Moves of cards
come from the export's actions, of which Trello includes the last 1,000.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kanban import card_size
from kanban.boards import build_board
from kanban.cards import build_card
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
from kanban.lists import build_list
from kanban.members import build_member
from kanban.ordering import ranks
from kanban.timekeeping import card_clock, timestamps
from kanban.values import (
    Board,
    Card,
    Entity,
    Event,
    EventData,
    List,
    NewBoard,
    NewCard,
    NewList,
    Role,
    Stage,
    TimeEntry,
)
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

    Trello exports have no currency and no hourly rate. Raises NoListsInImport.
    """
    return _TrelloImport(export, context, currency, hourly_rate_minor).build()


class _TrelloImport:
    """One import, built step by step."""

    def __init__(self, export: TrelloObject, context: ActionContext, currency: str, hourly_rate_minor: int) -> None:
        self.export = {
            **export,
            **{name: [select_fields(name, object_) for object_ in get_objects(export, name)] for name in READ_FIELDS},
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
        self.checklists = _group_by_card(self.export["checklists"], lambda checklist: checklist.get("idCard"))
        self.comments = _group_by_card(
            (action for action in self.export["actions"] if action.get("type") == "commentCard"), _get_card_id
        )

    def build(self) -> tuple[BoardView, Change, ImportReport]:
        """Return the board's view, the change that creates it, and the report."""
        self._import_lists()
        labels = map_labels(self.export, self.board_id, self.context, self.report)
        moves = self._collect_moves()
        cards: list[Card] = []
        parts: list[Entity] = []
        for trello_card, list_ in self._select_cards():
            card, card_parts = self._build_card(
                trello_card, list_, labels.ids_by_trello_id, moves.get(str(trello_card.get("id")), [])
            )
            cards.append(card)
            parts += card_parts
        self._report_unsupported(sum(isinstance(part, TimeEntry) for part in parts))
        owner = build_member(self.board_id, self.context.actor_id, Role.OWNER, self.context)
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
        trello_lists = self._select_lists_with_ids()
        if not trello_lists:
            raise NoListsInImport
        # If there are too many, lists in use are preferred to archived ones.
        kept_ids = {
            id(trello_list)
            for trello_list in sorted(trello_lists, key=lambda trello_list: bool(trello_list.get("closed")))[
                :MAX_LISTS_PER_BOARD
            ]
        }
        kept_lists = [trello_list for trello_list in trello_lists if id(trello_list) in kept_ids]
        for trello_list in trello_lists:
            if id(trello_list) not in kept_ids:
                name = clean_line(trello_list.get("name"), 100, "A list")
                self.report.add_line(
                    "list", name, f"A board has at most {MAX_LISTS_PER_BOARD} lists: left out, with its cards."
                )
        stages = self._choose_stages(kept_lists)
        used_ids: set[str] = set()
        for trello_list, stage, rank in zip(kept_lists, stages, ranks.sequence_after("", len(kept_lists)), strict=True):
            created_at = parse_creation_time(trello_list.get("id"), self.context.at)
            new = NewList(
                name=clean_line(trello_list.get("name"), 100, "Unnamed"),
                stage=stage,
                wip_limit=_parse_wip_limit(trello_list.get("softLimit")),
                external_id=_claim_external_id(trello_list.get("id"), used_ids),
            )
            list_ = replace(
                build_list(new, self.context.new_id("list"), self.board_id, rank, created_at),
                archived_at=self.context.at if trello_list.get("closed") else None,
            )
            self.lists[str(trello_list.get("id"))] = list_
            self.report.counts["lists"] += 1
            self._add_event(created_at, "list.created", list_.id, None, {"name": list_.name, "stage": str(stage)})

    def _select_lists_with_ids(self) -> list[TrelloObject]:
        """Return the lists in their order, without lists that have no id or the id of another list."""
        lists_by_id: dict[str, TrelloObject] = {}
        for trello_list in sort_by_position(self.export["lists"]):
            list_id = trello_list.get("id")
            if isinstance(list_id, str) and list_id and list_id not in lists_by_id:
                lists_by_id[list_id] = trello_list
            else:
                name = clean_line(trello_list.get("name"), 100, "A list")
                self.report.add_line("list", name, "It has no id, or the same one as another list: it was left out.")
        return [*lists_by_id.values()]

    def _choose_stages(self, lists: Sequence[TrelloObject]) -> list[Stage]:
        """Choose each list's stage by its name.

        If no name means done, the last list in use becomes done, unless its name means another stage.
        """
        stages = [_guess_stage(list_.get("name")) for list_ in lists]
        open_indexes = [index for index, list_ in enumerate(lists) if not list_.get("closed")]
        if len(open_indexes) > 1 and Stage.DONE not in stages:
            last_index = open_indexes[-1]
            if stages[last_index] is None:
                stages[last_index] = Stage.DONE
                name = clean_line(lists[last_index].get("name"), 100, "Unnamed")
                self.report.add_line(
                    "list", name, "No list's name says that work is done there, so this one is 'done'."
                )
            else:
                self.report.add_line(
                    "lists", "", "No list's name says that work is done there: add a list of that stage."
                )
        return [stage or Stage.TODO for stage in stages]

    # Cards

    def _select_cards(self) -> list[tuple[TrelloObject, List]]:
        """Return the cards that are kept, each with its list, in the order of their creation."""
        cards_by_list: dict[str, list[TrelloObject]] = defaultdict(list)
        for trello_card in self.export["cards"]:
            cards_by_list[str(trello_card.get("idList"))].append(trello_card)
        selected: list[tuple[TrelloObject, List]] = []
        for list_id, trello_cards in cards_by_list.items():
            list_ = self.lists.get(list_id)
            if list_ is None:
                for trello_card in trello_cards:
                    self._report_omitted_card(trello_card, "Its list is not in the export, or was left out.")
                continue
            active_count = 0
            for trello_card in sort_by_position(trello_cards):
                active_count += not trello_card.get("closed")
                if active_count > MAX_CARDS_PER_LIST and not trello_card.get("closed"):
                    self._report_omitted_card(trello_card, f"A list holds at most {MAX_CARDS_PER_LIST} cards.")
                else:
                    selected.append((trello_card, list_))
        self.rank_by_item = self._rank_cards(selected)
        return sorted(selected, key=lambda pair: parse_creation_time(pair[0].get("id"), self.context.at))

    def _rank_cards(self, selected: Sequence[tuple[TrelloObject, List]]) -> dict[int, str]:
        """Return the rank of each card by the id() of its item; set the counts and rank bounds of the lists."""
        rank_by_item: dict[int, str] = {}
        for trello_id, list_ in self.lists.items():
            own_cards = [trello_card for trello_card, card_list in selected if card_list is list_]
            new_ranks = ranks.sequence_after("", len(own_cards))
            rank_by_item |= {id(trello_card): rank for trello_card, rank in zip(own_cards, new_ranks, strict=True)}
            if own_cards:
                active_count = sum(not trello_card.get("closed") for trello_card in own_cards)
                self.lists[trello_id] = replace(
                    list_, card_count=active_count, first_rank=new_ranks[0], last_rank=new_ranks[-1]
                )
        return rank_by_item

    def _build_card(
        self, trello_card: TrelloObject, list_: List, label_ids: Mapping[str, str], moves: Sequence[ListMove]
    ) -> tuple[Card, list[Entity]]:
        created_at = parse_creation_time(trello_card.get("id"), self.context.at)
        title = clean_line(trello_card.get("name"), 500, "Untitled")
        if title != trello_card.get("name"):
            self.report.add_line(
                "card", title, "Its title was changed: it was blank, too long, or had characters that can't be shown."
            )
        description = clean_text(trello_card.get("desc"), 20_000)
        if isinstance(trello_card.get("desc"), str) and len(description) < len(
            trello_card["desc"].replace("\r\n", "\n")
        ):
            self.report.add_line(
                "card", title, "Its description was shortened, or lost characters that can't be shown."
            )
        new = NewCard(
            title=title,
            description=description,
            external_id=_claim_external_id(trello_card.get("id"), self.used_external_ids),
            start_at=parse_timestamp(trello_card.get("start")),
            due_at=parse_timestamp(trello_card.get("due")),
            due_complete=bool(trello_card.get("dueComplete")),
            links=map_links(trello_card, title, self.report),
        )
        card = replace(
            build_card(
                new,
                self.context.new_id("card"),
                list_,
                rank=self.rank_by_item[id(trello_card)],
                at=created_at,
                label_ids=self._resolve_labels(trello_card, title, label_ids),
            ),
            updated_at=max(created_at, parse_timestamp(trello_card.get("dateLastActivity"), created_at) or created_at),
            archived_at=self.context.at if trello_card.get("closed") else None,
        )
        if card.start_at and card.due_at and card.start_at > card.due_at:
            self.report.add_line("card", title, "Its start date lay after its due date: the start date was left out.")
            card = replace(card, start_at=None)
        card = replace(self._shorten(card), updated_at=min(card.updated_at, self.context.at))
        card = self._add_card_history(card, created_at, list_, moves)
        entries: list[TimeEntry] = []
        if list_.stage == Stage.IN_PROGRESS and card.archived_at is None and list_.archived_at is None:
            # Trello tracks no time, so the clock starts now.
            card, entry = card_clock.start_clock(card, self.hourly_rate_minor, self.context)
            entries = [entry]
        return self._add_parts(card, trello_card, entries)

    def _add_card_history(self, card: Card, created_at: datetime, list_: List, moves: Sequence[ListMove]) -> Card:
        """Return the card with the timestamps that its moves imply, and add its events."""
        known_moves = [
            move
            for move in moves
            if move.source_id in self.lists and move.target_id in self.lists and move.at >= created_at
        ]
        first_list = self.lists[known_moves[0].source_id] if known_moves else list_
        is_history_complete = self.history_start is None or created_at >= self.history_start
        data: EventData = {"title": card.title, "stage": str(first_list.stage)}
        self._add_event(created_at, "card.created", first_list.id, card.id, data)
        started_at = created_at if is_history_complete and first_list.stage == Stage.IN_PROGRESS else None
        resolved_at = created_at if is_history_complete and first_list.stage == Stage.DONE else None
        source = first_list
        for move in known_moves:
            target = self.lists[move.target_id]
            if target.id == source.id:
                continue
            completion_data = completions.build_completion_data(
                replace(card, started_at=started_at), source.stage, target.stage
            )
            self._add_event(
                move.at, "card.moved", target.id, card.id, {**_build_move_data(source, target), **completion_data}
            )
            if target.stage != source.stage:
                started_at = started_at or (move.at if target.stage == Stage.IN_PROGRESS else None)
                resolved_at = move.at if target.stage == Stage.DONE else None
            source = target
        if source.id != list_.id:
            completion_data = completions.build_completion_data(
                replace(card, started_at=started_at), source.stage, list_.stage
            )
            self._add_event(
                card.updated_at, "card.moved", list_.id, card.id, {**_build_move_data(source, list_), **completion_data}
            )
            if source.stage != list_.stage:
                resolved_at = card.updated_at
        if card.archived_at is not None:
            archived_at = timestamps.format_utc(card.archived_at)
            data = {"title": card.title, "stage": str(list_.stage), "archived_at": archived_at}
            self._add_event(self.context.at, "card.archived", list_.id, card.id, data)
        self.report.counts["cards"] += 1
        return replace(card, started_at=started_at, resolved_at=resolved_at if list_.stage == Stage.DONE else None)

    def _add_parts(self, card: Card, trello_card: TrelloObject, entries: list[TimeEntry]) -> tuple[Card, list[Entity]]:
        trello_id = str(trello_card.get("id"))
        checklists = map_checklists(self.checklists[trello_id], card, self.context, self.report)
        comments = map_comments(self.comments[trello_id], card, self.context, self.report)
        item_count = sum(len(checklist.items) for checklist in checklists)
        done_count = sum(item.done for checklist in checklists for item in checklist.items)
        card = replace(card, item_count=item_count, done_count=done_count, comment_count=len(comments))
        self.report.counts["checklists"] += len(checklists)
        self.report.counts["comments"] += len(comments)
        return card, [*entries, *checklists, *comments]

    def _resolve_labels(self, trello_card: TrelloObject, title: str, label_ids: Mapping[str, str]) -> tuple[str, ...]:
        trello_ids = trello_card.get("idLabels")
        card_label_ids = [str(trello_id) for trello_id in trello_ids] if isinstance(trello_ids, list) else []
        missing_count = sum(trello_id not in label_ids for trello_id in card_label_ids)
        if missing_count:
            self.report.add_line(
                "card", title, f"{missing_count} of its labels are not in the export, or were left out."
            )
        return tuple(sorted({label_ids[trello_id] for trello_id in card_label_ids if trello_id in label_ids}))

    def _shorten(self, card: Card) -> Card:
        """Return the card without the links, then without the end of the description, that exceed its maximum size."""

        def fits(card: Card) -> bool:
            return (
                card_size.compute_stored_bytes(card.title, card.description, card.links) <= card_size.MAX_STORED_BYTES
            )

        link_count = len(card.links)
        while card.links and not fits(card):
            card = replace(card, links=card.links[:-1])
        if len(card.links) < link_count:
            omitted_count = link_count - len(card.links)
            self.report.add_line(
                "card", card.title, f"It has more text than can be kept: {omitted_count} of its links were left out."
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
        moves_by_card: dict[str, list[ListMove]] = defaultdict(list)
        for action in actions:
            data, at = action.get("data"), parse_timestamp(action.get("date"))
            if at is None or not isinstance(data, dict) or action.get("type") != "updateCard":
                continue
            before, after, card = data.get("listBefore"), data.get("listAfter"), data.get("card")
            if isinstance(before, dict) and isinstance(after, dict) and isinstance(card, dict):
                move = ListMove(min(at, self.context.at), str(before.get("id")), str(after.get("id")))
                moves_by_card[str(card.get("id"))].append(move)
        if len(actions) >= MAX_ACTIONS:
            action_times = [at for at in (parse_timestamp(action.get("date")) for action in actions) if at]
            self.history_start = min(action_times, default=self.context.at)
            gap = f"what happened before {self.history_start:%Y-%m-%d} is not known"
            self.report.add_line("history", "", f"Trello gives the last {MAX_ACTIONS} actions: {gap}.")
        for moves in moves_by_card.values():
            moves.sort(key=lambda move: move.at)
        return moves_by_card

    def _add_event(
        self, at: datetime, event_type: str, list_id: str | None, card_id: str | None, data: EventData
    ) -> None:
        self.events.append(Event(self.board_id, 0, event_type, at, self.context.actor_id, list_id, card_id, data))

    def _report_omitted_card(self, trello_card: TrelloObject, reason: str) -> None:
        self.report.add_line("card", clean_line(trello_card.get("name"), 100, "Untitled"), f"{reason} It was left out.")

    def _report_unsupported(self, running_count: int) -> None:
        if running_count:
            self.report.add_line(
                "clocks", "", f"Trello tracks no time: clocks start now on {running_count} of the cards."
            )
        card_count = sum(bool(card.get("idMembers")) for card in self.export["cards"])
        if card_count:
            self.report.add_line(
                "members", "", f"{card_count} of the cards had members: invite people, then assign them here."
            )
        field_count = sum(bool(card.get("customFieldItems")) for card in self.export["cards"])
        if field_count:
            self.report.add_line(
                "custom fields", "", f"{field_count} of the cards had custom fields, which are not kept."
            )

    def _build_board(self) -> Board:
        new = NewBoard(
            name=clean_line(self.export.get("name"), 100, "From Trello"),
            description=clean_text(self.export.get("desc"), 20_000),
            currency=self.currency,
            hourly_rate_minor=self.hourly_rate_minor,
        )
        created_at = parse_creation_time(self.export.get("id"), self.context.at)
        return replace(
            build_board(new, self.board_id, self.context.actor_id, created_at),
            external_id=build_external_id(self.export),
            updated_at=self.context.at,
        )


def _group_by_card(
    items: Iterable[TrelloObject], get_card_id: Callable[[TrelloObject], object]
) -> defaultdict[str, list[TrelloObject]]:
    items_by_card: defaultdict[str, list[TrelloObject]] = defaultdict(list)
    for item in items:
        items_by_card[str(get_card_id(item))].append(item)
    return items_by_card


def _claim_external_id(trello_id: object, used_ids: set[str]) -> str | None:
    """Return the external id for a Trello id on first sight; None for a duplicate or a malformed id."""
    external_id = f"trello:{trello_id}"
    if external_id in used_ids or not _TRELLO_ID_PATTERN.fullmatch(external_id):
        return None
    used_ids.add(external_id)
    return external_id


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
    name_words = {*_WORD_PATTERN.findall(str(name).casefold())}
    return None if "not" in name_words else next((stage for stage, words in _STAGE_WORDS if words & name_words), None)
