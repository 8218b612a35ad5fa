"""Write golden data with the code of the working directory. `python -m tests.golden` runs this program.

It stands alone, so that the code of any release can run it: of that code it needs `create_app`, `open_store` and the
commands `export` and `backup`, and of the API what the document of that code has. Clock and randomness of the
application are fixed; only the secret that seals cursors is the store's own.
"""

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.factory import create_app
from stores import open_store

Json = Any

LONG_TEXT = "Größenübermäßigkeit über Füße " * 290
"""A long comment: a hundred of them are more than fits a page of an export."""

COMMENTS_OF_LONG_BOARD = (110, 60)
"""On its first card and on its last one: pages of its export end among comments, and one after 500 time entries."""

CARDS_OF_LONG_BOARD = 101
"""One more than a page of an export holds."""

ENTRIES_OF_LONG_BOARD = 501
"""One more than an export reads from the store at once."""


class Refused(Exception):
    """The application did not do what the maker asked for."""


class Person:
    """Somebody who calls the application. Before each call, some time passes, as `Scenario.pace` says."""

    def __init__(self, scenario: "Scenario", name: str) -> None:
        self.scenario = scenario
        self.name = name
        self.token = ""

    def get(self, path: str) -> Json:
        """Return the body of the answer to a GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Json = None, key: str | None = None) -> Json:
        """Return the body of the answer to a POST, sent with an idempotency key if there is one."""
        answer = self.call("POST", path, body, key=key)
        if key:
            self.scenario.replays.append({"as": self.name, "path": path, "body": body, "key": key, "answer": answer})
        return answer

    def call(self, method: str, path: str, body: Json = None, key: str | None = None, match: str | None = None) -> Json:
        """Return the body of an answer. Raises Refused for any that is no success."""
        self.scenario.now += self.scenario.pace
        target, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/v1{target}",
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "HTTP_ACCEPT": "application/json",
        }
        sent = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        environ |= {"wsgi.input": io.BytesIO(sent), "CONTENT_LENGTH": str(len(sent))}
        if sent:
            environ["CONTENT_TYPE"] = "application/json"
        if self.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        if key:
            environ["HTTP_IDEMPOTENCY_KEY"] = key
        if match:
            environ["HTTP_IF_MATCH"] = match
        statuses: list[str] = []

        def start_response(status: str, _headers: list[tuple[str, str]], _exc_info: object = None) -> Any:
            statuses.append(status)

        content = b"".join(self.scenario.application(environ, start_response))
        if not statuses[-1].startswith("2"):
            raise Refused(f"{method} {path}: {content.decode()[:1000]}")
        return json.loads(content) if content else None

    def patch(self, path: str, body: Json) -> Json:
        """Change a thing, whatever its version is."""
        return self.call("PATCH", path, body, match="*")

    def delete(self, path: str) -> None:
        """Delete a thing, whatever its version is."""
        self.call("DELETE", path, match="*")

    def put(self, path: str, body: Json = None) -> Json:
        """Return the body of the answer to a PUT."""
        return self.call("PUT", path, body)


class Scenario:
    """What people did in a store: a board with one of each thing, and a long one."""

    def __init__(self, url: str) -> None:
        self.now = datetime(2026, 11, 20, 14, tzinfo=UTC)
        self.pace = timedelta(seconds=7)
        self.replays: list[Json] = []
        self.store = open_store(url)
        self.paths = json.loads(Path("spec/dist/openapi.json").read_text())["paths"]
        self.randomness = random.Random(7)  # noqa: S311 - the same data in every run.
        self._start()
        self.mina, self.omar = (self._sign_up(name) for name in ("mina", "omar"))
        self._make_tokens()
        self.board = self._make_board()
        self._make_cards()
        self._delete_and_archive()
        self.long_board = self._import_long_board()
        self._make_other_boards()
        if self.has_invitations:
            self._let_people_in()
            self._let_people_go()
        # What is looked at from now on is of one moment.
        self.pace = timedelta(0)

    @property
    def has_invitations(self) -> bool:
        """Tell whether the release knows invitations, sessions, webhooks, jobs and the audit log: 1.3.0 and later."""
        return "/users/me/invitations" in self.paths

    def _start(self, **settings: Any) -> None:
        """Start the application, with settings that the release knows."""
        self.application = create_app(
            self.store,
            clock=lambda: self.now,
            random_bytes=self.randomness.randbytes,
            open_signup=True,
            **settings,
        )

    def _sign_up(self, name: str) -> Person:
        person = Person(self, name)
        person.token = Person(self, "").post("/users", {"id": name, "name": name.title()})["token"]
        return person

    def _make_tokens(self) -> None:
        bodies = [{"name": name, "scopes": ["read"], "expires_at": "2027-11-20T12:00:00Z"} for name in ("CI", "Lost")]
        tokens = [self.mina.post("/users/me/tokens", body)["token"]["id"] for body in bodies]
        self.mina.call("DELETE", f"/users/me/tokens/{tokens[-1]}")
        self.mina.patch("/users/me", {"name": "Mina Ø"})

    def _make_board(self) -> str:
        lists = [
            {"name": "To do", "stage": "todo"},
            {"name": "Doing", "stage": "in_progress", "wip_limit": 2, "wip_enforcement": "block"},
            {"name": "Done", "stage": "done"},
        ]
        money = {"currency": "EUR", "hourly_rate_minor": 9_000}
        board = self.mina.post(
            "/boards", {"name": "Website", "description": "日本 *x*", "lists": lists, **money}, "b-1"
        )
        path = f"/boards/{board['id']}"
        self.mina.put(f"{path}/members/omar", {"role": "viewer"})
        self.mina.put(f"{path}/members/omar", {"role": "editor"})
        for name, color in (("Bug", "red"), ("Old", "blue"), ("Idea", "sky")):
            label = self.mina.post(f"{path}/labels", {"name": name, "color": color})
            if name == "Old":
                self.mina.delete(f"{path}/labels/{label['id']}")
        self.mina.patch(path, {"name": "Website 2"})
        return path

    def _make_cards(self) -> None:
        board, mina, omar = self.board, self.mina, self.omar
        self.lists = {list_["name"]: list_["id"] for list_ in mina.get(f"{board}/lists")["items"]}
        mina.patch(f"{board}/lists/{self.lists['Done']}", {"external_id": "list-3"})
        labels = [label["id"] for label in mina.get(f"{board}/labels")["items"]]
        full = {
            "title": "Ship the <landing> page\u3000日本",
            "description": "# Why\n\n- `x`",
            "external_id": "JIRA-1",
            "start_at": "2026-11-20T08:00:00Z",
            "due_at": "2026-11-25T17:00:00+01:00",
            "due_complete": False,
            "hourly_rate_minor": 0,
            "label_ids": labels,
            "assignee_ids": ["mina", "omar"],
            "links": [
                {"url": "https://example.com/a?x=1&y=%20", "title": "Letter"},
                {"url": "https://example.com/b", "title": "B"},
            ],
        }
        cards = [mina.post(f"{board}/cards", full, "c-1")["id"]]
        for number in range(2, 9):
            body: Json = {"title": f"Card {number}", "position": "top" if number % 2 else "bottom"}
            if number % 3 == 0:
                body |= {"due_at": f"2026-11-{10 + number}T10:00:00Z", "assignee_ids": ["mina"]}
            cards.append(omar.post(f"{board}/cards", body)["id"])
        self.cards = cards
        at = f"{board}/cards/{cards[0]}"
        mina.patch(at, {"title": "Ship the landing page", "due_complete": True})
        mina.post(f"{at}/move", {"list_id": self.lists["To do"], "after": cards[3]})
        self._make_parts(at)
        omar.post(f"{board}/cards/{cards[1]}/start", None, "s-1")
        mina.post(f"{board}/cards/{cards[2]}/start")
        mina.post(f"{board}/cards/{cards[2]}/resolve")
        for act in ("start", "resolve", "reopen"):
            mina.post(f"{board}/cards/{cards[3]}/{act}")
        mina.post(f"{at}/copy", {"title": "A copy"})
        mina.post(f"{board}/lists/{self.lists['To do']}/sort", {"by": "title", "direction": "desc"})
        order = [card["id"] for card in mina.get(f"{board}/cards?list_id={self.lists['To do']}")["items"]]
        mina.put(f"{board}/lists/{self.lists['To do']}/card-order", {"card_ids": [order[-1], *order[:-1]]})

    def _make_parts(self, card: str) -> None:
        mina, omar = self.mina, self.omar
        steps = mina.post(f"{card}/checklists", {"name": "Steps"})
        empty = mina.post(f"{card}/checklists", {"name": "Empty"})
        mina.post(f"{card}/checklists/{empty['id']}/move", {"position": "top"})
        items = f"{card}/checklists/{steps['id']}/items"
        body = {"text": "Ask", "assignee_id": "omar", "due_at": "2026-11-24T00:00:00Z", "position": "top"}
        asked = mina.post(items, body)
        for text in ("Write", "Convert", "Drop"):
            item = mina.post(items, {"text": text, "done": text == "Write"})
            if text == "Convert":
                omar.post(f"{items}/{item['id']}/convert", {})
            elif text == "Drop":
                mina.delete(f"{items}/{item['id']}")
        omar.patch(f"{items}/{asked['id']}", {"done": True})
        for person, text in ((mina, "Looks *good*."), (omar, "Mina:\n\nYes 🎉"), (mina, "Gone"), (omar, "Third")):
            comment = person.post(f"{card}/comments", {"text": text})
            if text == "Gone":
                mina.delete(f"{card}/comments/{comment['id']}")
            elif text == "Third":
                omar.patch(f"{card}/comments/{comment['id']}", {"text": "Third, edited"})
        for hour, note in ((8, "By hand"), (9, ""), (10, "Wrong")):
            worked = {"started_at": f"2026-11-19T{hour:02}:00:00Z", "ended_at": f"2026-11-19T{hour:02}:30:00Z"}
            user = {"user_id": "omar" if note else "mina"}
            entry = omar.post(
                f"{card}/time-entries", {**worked, **user, "note": note, "hourly_rate_minor": 5_000 + hour}
            )
            if note == "Wrong":
                omar.delete(f"{card}/time-entries/{entry['id']}")

    def _delete_and_archive(self) -> None:
        board, mina = self.board, self.mina
        for number in range(3):
            for what in ("archived", "deleted"):
                body = {"title": f"To be {what} {number}", "external_id": f"{what}-{number}", "assignee_ids": ["mina"]}
                card = mina.post(f"{board}/cards", body)
                mina.post(f"{board}/cards/{card['id']}/archive") if what == "archived" else mina.delete(
                    f"{board}/cards/{card['id']}"
                )
                list_ = mina.post(f"{board}/lists", {"name": f"To be {what} {number}", "stage": "todo"})
                mina.post(f"{board}/cards", {"title": "Inside", "list_id": list_["id"]})
                at = f"{board}/lists/{list_['id']}"
                mina.post(f"{at}/archive") if what == "archived" else mina.delete(at)
        mina.post(f"{board}/lists/{self.lists['Done']}/copy", {"name": "Done again"})
        lists = [list_["id"] for list_ in mina.get(f"{board}/lists")["items"]]
        mina.put(f"{board}/list-order", {"list_ids": [lists[0], *reversed(lists[1:])]})

    def _import_long_board(self) -> str:
        """Import a board that exports in several pages, each of which ends at another kind of thing."""
        lists = [{"id": f"5f3c2a1b{1:016x}", "name": "To do"}, {"id": f"5f3c2a1b{2:016x}", "name": "Done"}]
        cards = [
            {
                "id": f"5f3c2a1b{number:016x}",
                "idList": lists[number == 99 + CARDS_OF_LONG_BOARD]["id"],
                "name": f"Long {number}",
                "pos": number,
            }
            for number in range(100, 100 + CARDS_OF_LONG_BOARD)
        ]
        comments = [
            {
                "id": f"5f3c2a1b{number:016x}",
                "type": "commentCard",
                "date": "2026-11-01T10:00:00.000Z",
                "data": {"text": f"{number} {LONG_TEXT}", "card": {"id": cards[-at]["id"]}},
                "memberCreator": {"fullName": "Rui"},
            }
            for at, count in enumerate(COMMENTS_OF_LONG_BOARD)
            for number in range(300 + at * 200, 300 + at * 200 + count)
        ]
        export = {"id": f"5f3c2a1b{3:016x}", "name": "Long", "lists": lists, "cards": cards, "actions": comments}
        board = self.mina.post("/imports/trello", export)["board"]["id"]
        path = f"/boards/{board}"
        card = self.mina.get(f"{path}/cards?limit=1")["items"][0]["id"]
        for minute in range(ENTRIES_OF_LONG_BOARD):
            begun = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minute)
            times = (begun, begun + timedelta(minutes=1))
            worked = dict(zip(("started_at", "ended_at"), (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in times), strict=True))
            self.mina.post(f"{path}/cards/{card}/time-entries", {**worked, "note": "Again and again. " * 58})
        return path

    def _make_other_boards(self) -> None:
        mina = self.mina
        for what in ("archived", "deleted", "used"):
            for number in range(3):
                board = mina.post(
                    "/boards", {"name": f"Board {number} {what}", "lists": [{"name": "A", "stage": "todo"}]}
                )
                path = f"/boards/{board['id']}"
                mina.post(f"{path}/cards", {"title": "Mine", "assignee_ids": ["mina"]})
                if what == "archived":
                    mina.post(f"{path}/archive")
                elif what == "deleted":
                    mina.delete(path)
        goal = mina.get("/boards?limit=1")["items"][0]["id"]
        mina.post(f"{self.board}/cards/{self.cards[4]}/transfer", {"board_id": goal})
        mina.post(f"{self.board}/copy", {"name": "Website, copied", "cards": True})

    def _let_people_in(self) -> None:
        """Invite people in every way, open a session, make a narrow token and a webhook."""
        board, mina = self.board, self.mina
        noor = self._sign_up("noor")
        mina.post(f"{board}/invitations", {"role": "editor", "note": "For 日本", "max_uses": 5})
        mina.post("/invitations", {"max_uses": 2})
        self._start(joining_takes_consent=True)
        mina.put(f"{board}/members/noor", {"role": "viewer"})
        self._start()
        invitation = mina.post(f"{board}/invitations", {"role": "viewer", "max_uses": 2})
        secret = invitation["secret"]
        self._sign_up("zoe").post(f"/invitations/{invitation['invitation']['id']}/accept", {"secret": secret})
        code = noor.post("/users/me/sign-in-codes")["code"]
        Person(self, "").post("/sessions", {"code": code, "name": "Phone"})
        noor.post("/users/me/sign-in-codes")
        limits = {"board_ids": [board.rpartition("/")[2]], "max_role": "viewer", "resources": ["cards"]}
        mina.post("/users/me/tokens", {"name": "Narrow", "scopes": ["read"], **limits})
        mina.post(f"{board}/webhooks", {"url": "https://8.8.8.8/hook", "types": ["card.created"]})

    def _let_people_go(self) -> None:
        """Deactivate two users and start to delete them: one job waits, the other one is cancelled."""
        for name in ("ines", "jaro"):
            self.mina.put(f"{self.board}/members/{self._sign_up(name).name}", {"role": "viewer"})
            self.mina.post(f"/users/{name}/deactivate")
            job = self.mina.call("DELETE", f"/users/{name}")
            if name == "jaro":
                self.mina.post(f"/jobs/{job['id']}/cancel")

    def read_all(self) -> Iterator[Json]:
        """Ask for all there is to see, and tell each question with its answer."""
        board = self.board
        card = f"{board}/cards/{self.cards[0]}"
        period = "from=2026-11-16&to=2026-11-23&bucket=day&tz=Europe/Lisbon"
        paths = [
            "/users/me",
            "/users/omar",
            "/boards",
            f"{board}?embed=lists,cards,labels,members",
            f"{board}/members/omar",
            f"{board}/lists?archived=true",
            f"{board}/cards?archived=true",
            f"{board}/cards?deleted=true",
            f"{board}/cards?q={quote('日本')}",
            f"{board}/cards?status=in_progress",
            f"{board}/cards/{self.cards[1]}",
            card,
            f"{card}/time",
            f"{card}/checklists",
            f"{card}/comments",
            f"{board}/time-report?{period}",
            f"{board}/flow?{period}",
            f"{board}/events?after=0&limit=100",
        ]
        if self.has_invitations:
            paths += ["/users", "/users/ines", "/users/me/tokens", "/audit-entries", "/jobs", "/invitations"]
            paths += [f"{board}/{name}" for name in ("invitations", "members", "webhooks")]
        return ({"path": path, "answer": self.mina.get(path)} for path in paths)

    def list_listings(self) -> list[str]:
        """Return a listing of every kind, each of several pages of one thing."""
        board, long = self.board, self.long_board
        card = f"{board}/cards/{self.cards[0]}"
        sorts = ("position", "created_at", "-created_at", "updated_at", "-updated_at", "due_at", "-due_at")
        filters = (
            *(f"sort={sort}" for sort in sorts),
            f"list_id={self.lists['To do']}",
            f"list_id={self.lists['To do']}&sort=-created_at",
            "assignee_id=me",
            "status=todo&q=card",
            "due_from=2026-11-01T00:00:00Z",
            "updated_since=2026-11-20T14:00:00Z",
            "archived=true",
            "archived=true&sort=updated_at",
            "deleted=true",
        )
        listings = ["/users/me/tokens?limit=1", "/cards?limit=1", "/cards?limit=1&due_from=2026-11-01T00:00:00Z"]
        listings += ["/boards?limit=1", "/boards?archived=true&limit=1"]
        listings += [f"{board}/cards?{query}&limit=1" for query in filters]
        listings += [f"{card}/time?limit=1", f"{card}/comments?limit=1", f"{long}/export"]
        # These have been there since 1.1.0.
        parameters = self.paths["/boards/{board_id}/lists"]["get"]["parameters"]
        if {"$ref": "#/components/parameters/Cursor"} in parameters:
            listings += ["/boards?deleted=true&limit=1"]
            listings += [f"{board}/lists?limit=1{which}" for which in ("", "&archived=true", "&deleted=true")]
        if self.has_invitations:
            listings += ["/audit-entries?limit=1", "/jobs?limit=1"]
        return listings

    def walk_pages(self) -> Iterator[Json]:
        """Walk through each listing, and tell each cursor with the page that it led to."""
        for path in self.list_listings():
            cursor = self.mina.get(path)["next_cursor"]
            while cursor:
                page = self.mina.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
                yield {"path": path, "cursor": cursor, "answer": page}
                cursor = page["next_cursor"]


def run_scenario(url: str) -> tuple[Json, Json]:
    """Live in a new store; return what anybody can see there, and the pages of that store with their cursors."""
    scenario = Scenario(url)
    with closing(scenario.store):
        return {
            "now": f"{scenario.now:%Y-%m-%dT%H:%M:%SZ}",
            "tokens": {person.name: person.token for person in (scenario.mina, scenario.omar)},
            "board_path": scenario.board,
            "long_board_path": scenario.long_board,
            "reads": list(scenario.read_all()),
            "replays": scenario.replays,
        }, list(scenario.walk_pages())


def run_command(*arguments: str, store_url: str) -> str:
    """Run a command of this release; return what it prints."""
    environment = os.environ | {"STORE_URL": store_url}
    line = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def main(folder: Path, dynamodb_url: str) -> None:
    """Write golden data into the folder, and the same scenario into the table."""
    url = f"sqlite:///{folder}/store.db"
    seen, sqlite_pages = run_scenario(url)
    seen_on_dynamodb, dynamodb_pages = run_scenario(dynamodb_url)
    if seen != seen_on_dynamodb:
        raise Refused("The same scenario looks different on DynamoDB.")
    run_command("export", seen["board_path"].rpartition("/")[2], str(folder / "export.json"), store_url=url)
    run_command("backup", str(folder / "backup.db"), store_url=url)
    pages = {"sqlite": sqlite_pages, "dynamodb": dynamodb_pages}
    for name, data in (("answers", seen), ("pages", pages)):
        (folder / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
