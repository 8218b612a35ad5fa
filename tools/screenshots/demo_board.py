"""A board as a small team would have it after six weeks, made through the API with a manual clock."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 19, 10, 40, tzinfo=UTC)
"""The time of the screenshots: fixed, so that they are the same on every machine."""

_PEOPLE = {"ines": "Inês Duarte", "tomas": "Tomas Lind", "yuki": "Yuki Mori"}
_LABELS = {"Design": "purple", "Content": "green", "Research": "sky", "Bug": "red", "Launch": "yellow"}
_LISTS = [
    {"name": "Ideas", "stage": "todo"},
    {"name": "Next", "stage": "todo"},
    {"name": "Doing", "stage": "in_progress", "wip_limit": 4, "wip_enforcement": "block"},
    {"name": "Review", "stage": "in_progress", "wip_limit": 2},
    {"name": "Done", "stage": "done"},
]

# Title, list, labels, assignees, days until it is due.
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
# Finished cards: title, the day on which it was started, the days it took.
_FINISHED_CARDS = [
    ("Choose the typeface", 1, 2), ("Move the domain", 2, 1), ("Interview the carpenters", 3, 6),
    ("Sketch the product page", 6, 4), ("Wording of the returns page", 8, 2), ("Search that forgives typos", 9, 7),
    ("Colours that pass for everyone", 13, 3), ("Import 340 products", 14, 9), ("Opening hours", 20, 1),
    ("Form for repairs", 21, 5), ("Test on old phones", 24, 4), ("Receipts by mail", 27, 6),
    ("Consent without tricks", 30, 3),
    ("Page of the stools", 34, 3), ("Fix the basket on Safari", 37, 1),
]  # fmt: skip
_HISTORY_LENGTH = timedelta(days=42)
_DAYS_IN_PROGRESS = {"New start page": 3, "Prices with and without tax": 6, "Pictures that load fast on a train": 1,
         "Delivery dates on every product": 8, "Say what the wood is and where it grew": 5}  # fmt: skip

_DESCRIPTION = """## Why
The page we have shows **everything**, so nobody finds *anything*.

- One picture, one sentence, one button
- The oak table first: it is what people ask for
- Readable on a phone in the sun

Numbers are in [the report](https://example.com/reports/481)."""


class DemoBoard:
    """Creates the board. `now` is the time that the application's clock must return."""

    def __init__(self) -> None:
        self.now = NOW - _HISTORY_LENGTH
        self.address = ""
        self.tokens: dict[str, str] = {}

    def read_clock(self) -> datetime:
        """Return the current time of the history."""
        return self.now

    def call(self, method: str, path: str, body: object = None, user_id: str = "ines") -> Any:
        """Call the API as a user and return the parsed body. Raises HTTPError for an error response."""
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        if user_id in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[user_id]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", data=data, method=method, headers=headers)  # noqa: S310 - an own server.
        with urllib.request.urlopen(request) as response:  # noqa: S310 - as above.
            text = response.read()
        return json.loads(text) if text else None

    def sign_in(self, user_id: str) -> None:
        """Create a session of a user."""
        code = self.call("POST", "users/me/sign-in-codes", user_id=user_id)["code"]
        self.call("POST", "sessions", {"code": code, "name": "Laptop"}, user_id=user_id)

    def create(self, address: str) -> str:
        """Create everything at this address and return the id of the board. The clock ends at NOW."""
        self.address = address
        for user_id, name in _PEOPLE.items():
            self.tokens[user_id] = self.call("POST", "users", {"id": user_id, "name": name}, user_id="")["token"]
        for name in ("Workshop", "Spring fair"):
            self.call("POST", "boards", {"name": name})
        body = {"name": "Oak & Ash: the new shop", "currency": "EUR", "hourly_rate_minor": 6500, "lists": _LISTS}
        board = f"boards/{self.call('POST', 'boards', body)['id']}"
        for user_id in ("tomas", "yuki"):
            self.call("PUT", f"{board}/members/{user_id}", {"role": "editor"})
        labels = {
            name: self.call("POST", f"{board}/labels", {"name": name, "color": color})["id"]
            for name, color in _LABELS.items()
        }
        lists = {item["name"]: item["id"] for item in self.call("GET", f"{board}/lists")["items"]}
        self._create_history(board, labels, lists)
        return board.removeprefix("boards/")

    def _create_history(self, board: str, labels: dict[str, str], lists: dict[str, str]) -> None:
        """Create six weeks of history, in chronological order."""
        moves: list[tuple[datetime, str, str]] = []
        cards: dict[str, str] = {}
        for title, started, took in _FINISHED_CARDS:
            start = NOW - _HISTORY_LENGTH + timedelta(days=started, hours=1)
            moves += [(start - timedelta(days=started % 4, minutes=30), "Next", title), (start, "Doing", title),
                           (start + timedelta(days=took, hours=2), "Done", title)]  # fmt: skip
        for number, (title, list_name, _, _, _) in enumerate(_CARDS):
            created_at = NOW - timedelta(days=12 - number % 5, hours=number)
            moves.append((created_at, "Next" if title in _DAYS_IN_PROGRESS else list_name, title))
            if title in _DAYS_IN_PROGRESS:
                started_at = NOW - timedelta(days=_DAYS_IN_PROGRESS[title], hours=2, minutes=17 * number)
                moves.append((started_at, "Doing", title))
                if list_name == "Review":
                    moves.append((started_at + timedelta(days=1), "Review", title))
        for self.now, list_name, title in sorted(moves):
            if title in cards:
                to = {"list_id": lists[list_name], "position": "bottom"}
                self.call("POST", f"{board}/cards/{cards[title]}/move", to, user_id="tomas")
            else:
                cards[title] = self.call("POST", f"{board}/cards", {"title": title, "list_id": lists[list_name]})["id"]
        self.now = NOW - timedelta(hours=3)
        for title, _, label_names, assignee_ids, days_until_due in _CARDS:
            due_at = None if days_until_due is None else f"{NOW + timedelta(days=days_until_due):%Y-%m-%dT15:00:00Z}"
            body = {"label_ids": [labels[name] for name in label_names], "assignee_ids": assignee_ids, "due_at": due_at}
            self.call("PATCH", f"{board}/cards/{cards[title]}", body)
        self._fill_pictured_card(f"{board}/cards/{cards['New start page']}")
        steps = self.call(
            "POST", f"{board}/cards/{cards['Translate the care guide']}/checklists", {"name": "Languages"}
        )
        for text in ("Swedish", "Japanese", "Portuguese"):
            self.call("POST", f"{board}/cards/{steps['card_id']}/checklists/{steps['id']}/items", {"text": text})
        self.now = NOW

    def _fill_pictured_card(self, card: str) -> None:
        """Fill the card of which a close-up is taken."""
        links = [{"url": "https://example.com/reports/481", "title": "Report of the winter"}]
        self.call("PATCH", card, {"description": _DESCRIPTION, "links": links})
        checklist = self.call("POST", f"{card}/checklists", {"name": "Before it is seen"})
        path = f"{card}/checklists/{checklist['id']}/items"
        for number, text in enumerate(
            ["Photograph of the table", "One sentence", "Tried on three phones", "Numbers before and after"]
        ):
            item = self.call("POST", path, {"text": text})
            if number < 2:  # noqa: PLR2004 - half of it is done.
                self.call("PATCH", f"{path}/{item['id']}", {"done": True})
        self.call("POST", f"{card}/comments", {"text": "The photograph is here, and it is *lovely*."}, user_id="tomas")
        self.now += timedelta(minutes=40)
        self.call("POST", f"{card}/comments", {"text": "Then the sentence can be short: **Tables that outlive you.**"})
        day = NOW - timedelta(days=5)
        work = {"started_at": f"{day:%Y-%m-%dT08:00:00Z}", "ended_at": f"{day:%Y-%m-%dT10:30:00Z}", "note": "Sketches"}
        self.call("POST", f"{card}/time-entries", work)
