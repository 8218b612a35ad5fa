"""A board as a small team would have it after six weeks, made through the API with a clock that is moved along."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 19, 10, 40, tzinfo=UTC)
"""When the pictures are taken: the same on every machine, so that they can be made again."""

_PEOPLE = {"ines": "Inês Duarte", "tomas": "Tomas Lind", "yuki": "Yuki Mori"}
_LABELS = {"Design": "purple", "Content": "green", "Research": "sky", "Bug": "red", "Launch": "yellow"}
_LISTS = [
    {"name": "Ideas", "stage": "todo"},
    {"name": "Next", "stage": "todo"},
    {"name": "Doing", "stage": "in_progress", "wip_limit": 4, "wip_enforcement": "block"},
    {"name": "Review", "stage": "in_progress", "wip_limit": 2},
    {"name": "Done", "stage": "done"},
]

# Title, list, labels, people, days until it is due.
_CARDS: list[tuple[str, str, list[str], list[str], int | None]] = [
    ("Photograph the workshop", "Ideas", ["Content"], [], None),
    ("A newsletter, four times a year", "Ideas", ["Launch"], [], None),
    ("Map of all stockists", "Ideas", ["Research"], ["tomas"], None),
    ("Ask ten customers how they found us", "Next", ["Research"], ["yuki"], 6),
    ("Write the story behind the oak table", "Next", ["Content"], ["ines"], 8),
    ("Shorter way from basket to paid", "Next", ["Design", "Launch"], [], 12),
    ("Translate the care guide", "Next", ["Content"], ["yuki"], None),
    ("New start page", "Doing", ["Design", "Launch"], ["ines", "tomas"], 2),
    ("Prices with and without tax", "Doing", ["Bug"], ["tomas"], -1),
    ("Pictures that load fast on a train", "Doing", ["Design"], ["yuki"], 4),
    ("Delivery dates on every product", "Review", ["Launch"], ["tomas"], 1),
    ("Say what the wood is and where it grew", "Review", ["Content"], ["ines"], None),
]
# What was finished, with the day it was started and the days it took.
_FINISHED = [
    ("Choose the typeface", 1, 2), ("Move the domain", 2, 1), ("Interview the carpenters", 3, 6),
    ("Sketch the product page", 6, 4), ("Wording of the returns page", 8, 2), ("Search that forgives typos", 9, 7),
    ("Colours that pass for everyone", 13, 3), ("Import 340 products", 14, 9), ("Opening hours", 20, 1),
    ("Form for repairs", 21, 5), ("Test on old phones", 24, 4), ("Receipts by mail", 27, 6),
    ("Consent without tricks", 30, 3),
    ("Page of the stools", 34, 3), ("Fix the basket on Safari", 37, 1),
]  # fmt: skip
_FIRST = timedelta(days=42)
_LINE = {"New start page": 3, "Prices with and without tax": 6, "Pictures that load fast on a train": 1,
         "Delivery dates on every product": 8, "Say what the wood is and where it grew": 5}  # fmt: skip

_STORY = """## Why
The page we have shows **everything**, so nobody finds *anything*.

- One picture, one sentence, one button
- The oak table first: it is what people ask for
- Readable on a phone in the sun

Numbers are in [the report](https://example.com/reports/481)."""


class Demo:
    """Makes the board; `at` is the moment that the application's clock must answer."""

    def __init__(self) -> None:
        self.at = NOW - _FIRST
        self.address = ""
        self.tokens: dict[str, str] = {}

    def clock(self) -> datetime:
        """The moment in the story."""
        return self.at

    def ask(self, method: str, path: str, body: object = None, who: str = "ines") -> Any:
        """Call the API as someone; raises HTTPError for what it refuses."""
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        if who in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", data=data, method=method, headers=headers)  # noqa: S310 - an own server.
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above.
            text = answer.read()
        return json.loads(text) if text else None

    def tell(self, address: str) -> str:
        """Make everything at this address; the id of the board. The clock ends at NOW."""
        self.address = address
        for user_id, name in _PEOPLE.items():
            self.tokens[user_id] = self.ask("POST", "users", {"id": user_id, "name": name}, who="")["token"]
        for name in ("Workshop", "Spring fair"):
            self.ask("POST", "boards", {"name": name})
        wishes = {"name": "Oak & Ash: the new shop", "currency": "EUR", "hourly_rate_minor": 6500, "lists": _LISTS}
        board = f"boards/{self.ask('POST', 'boards', wishes)['id']}"
        for user_id in ("tomas", "yuki"):
            self.ask("PUT", f"{board}/members/{user_id}", {"role": "editor"})
        labels = {
            name: self.ask("POST", f"{board}/labels", {"name": name, "color": color})["id"]
            for name, color in _LABELS.items()
        }
        lists = {each["name"]: each["id"] for each in self.ask("GET", f"{board}/lists")["items"]}
        self._work(board, labels, lists)
        return board.removeprefix("boards/")

    def _work(self, board: str, labels: dict[str, str], lists: dict[str, str]) -> None:
        """Let six weeks go by, in the order in which things happened."""
        happenings: list[tuple[datetime, str, str]] = []
        cards: dict[str, str] = {}
        for title, started, took in _FINISHED:
            begin = NOW - _FIRST + timedelta(days=started, hours=1)
            happenings += [(begin - timedelta(days=started % 4, minutes=30), "Next", title), (begin, "Doing", title),
                           (begin + timedelta(days=took, hours=2), "Done", title)]  # fmt: skip
        for place, (title, goal, _, _, _) in enumerate(_CARDS):
            made = NOW - timedelta(days=12 - place % 5, hours=place)
            happenings.append((made, "Next" if title in _LINE else goal, title))
            if title in _LINE:
                begun = NOW - timedelta(days=_LINE[title], hours=2, minutes=17 * place)
                happenings.append((begun, "Doing", title))
                if goal == "Review":
                    happenings.append((begun + timedelta(days=1), "Review", title))
        for self.at, goal, title in sorted(happenings):
            if title in cards:
                to = {"list_id": lists[goal], "position": "bottom"}
                self.ask("POST", f"{board}/cards/{cards[title]}/move", to, who="tomas")
            else:
                cards[title] = self.ask("POST", f"{board}/cards", {"title": title, "list_id": lists[goal]})["id"]
        self.at = NOW - timedelta(hours=3)
        for title, _, marked, people, due in _CARDS:
            day = None if due is None else f"{NOW + timedelta(days=due):%Y-%m-%dT15:00:00Z}"
            wishes = {"label_ids": [labels[each] for each in marked], "assignee_ids": people, "due_at": day}
            self.ask("PATCH", f"{board}/cards/{cards[title]}", wishes)
        self._detail(f"{board}/cards/{cards['New start page']}")
        steps = self.ask("POST", f"{board}/cards/{cards['Translate the care guide']}/checklists", {"name": "Languages"})
        for text in ("Swedish", "Japanese", "Portuguese"):
            self.ask("POST", f"{board}/cards/{steps['card_id']}/checklists/{steps['id']}/items", {"text": text})
        self.at = NOW

    def _detail(self, card: str) -> None:
        """Fill the card that a picture shows from near."""
        links = [{"url": "https://example.com/reports/481", "title": "Report of the winter"}]
        self.ask("PATCH", card, {"description": _STORY, "links": links})
        checklist = self.ask("POST", f"{card}/checklists", {"name": "Before it is seen"})
        path = f"{card}/checklists/{checklist['id']}/items"
        for place, text in enumerate(
            ["Photograph of the table", "One sentence", "Tried on three phones", "Numbers before and after"]
        ):
            item = self.ask("POST", path, {"text": text})
            if place < 2:  # noqa: PLR2004 - half of it is done.
                self.ask("PATCH", f"{path}/{item['id']}", {"done": True})
        self.ask("POST", f"{card}/comments", {"text": "The photograph is here, and it is *lovely*."}, who="tomas")
        self.at += timedelta(minutes=40)
        self.ask("POST", f"{card}/comments", {"text": "Then the sentence can be short: **Tables that outlive you.**"})
        day = NOW - timedelta(days=5)
        work = {"started_at": f"{day:%Y-%m-%dT08:00:00Z}", "ended_at": f"{day:%Y-%m-%dT10:30:00Z}", "note": "Sketches"}
        self.ask("POST", f"{card}/time-entries", work)
