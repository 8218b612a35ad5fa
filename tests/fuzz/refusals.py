"""Boards led to where a rule says no: a full list, a name that is taken, the hundred and first item.

Generated requests don't get there: thirty clocks never run at once by chance. Each walk prepares its board through
the API and ends in the refusal that it is about, and everything that it sends is part of the recorded traffic. Add
the walk of a new rule here. No walk leads to the 409 of import_trello, for which two imports have to meet, nor to that
of rotate_token, for which time has to pass.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TextIO

from pipeline.bundle import Operation
from tests.api.client import Client
from tests.fuzz.provocations import Attempt, exchange, sent
from tests.live_server import LiveServer

_MORE_THAN_AN_IMPORT = b" " * (5 * 1024 * 1024 + 1)


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks, keeps what was said, and insists on the status that was announced."""

    client: Client
    server: LiveServer
    file: TextIO
    operations: dict[tuple[str, str], Operation]
    there: dict[str, str] = field(default_factory=dict)
    """What stands for the names in the paths."""

    def at(self, **there: str) -> "Visitor":
        """The same visitor before something else."""
        return replace(self, there=self.there | there)

    def ask(self, method: str, template: str, body: object = None, *, status: int = 0, key: str = "") -> Any:
        """The answer to a request, None without a body; raises AssertionError when it has another status than said.

        Any success will do where no status is said.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if method in ("PATCH", "DELETE"):
            headers["If-Match"] = "*"
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        attempt = Attempt(headers, raw=raw)
        operation, path = self.operations[method, template], template.format(**self.there)
        answer = sent(self.client, operation, path, attempt)
        assert answer is not None, f"{operation.id} was not answered."
        said = answer.status == status if status else answer.status < HTTPStatus.BAD_REQUEST
        assert said, f"{operation.id} was answered with {answer.status}: {answer.raw[:400]!r}"
        self.file.write(json.dumps(exchange(operation, self.server, path, attempt, answer)) + "\n")
        return answer.json if answer.raw else None

    def refused(self, status: int, method: str, template: str, body: object = None, *, key: str = "") -> None:
        """Ask for what must be refused."""
        self.ask(method, template, body, status=status, key=key)

    def board(self) -> "Visitor":
        """The visitor at a new board, with its first two lists and its last one."""
        made = self.ask("POST", "/boards", {"name": "Refusals"})
        here = self.at(board_id=made["id"])
        todo, doing, done = (each["id"] for each in here.ask("GET", "/boards/{board_id}/lists")["items"])
        return here.at(list_id=todo, todo=todo, doing=doing, done=done)

    def list(self, **given: object) -> str:
        """The id of a new list of the board."""
        made: str = self.ask("POST", f"{_BOARD}/lists", {"name": "A list", "stage": "todo", **given})["id"]
        return made

    def card(self, **given: object) -> str:
        """The id of a new card of the board."""
        made: str = self.ask("POST", f"{_BOARD}/cards", {"title": "A card", **given})["id"]
        return made

    def full_list(self) -> str:
        """The id of a list that holds the one card that it may hold."""
        made = self.list(wip_limit=1, wip_enforcement="block")
        self.card(list_id=made)
        return made


_BOARD = "/boards/{board_id}"
_LIST = f"{_BOARD}/lists/{{list_id}}"
_CARD = f"{_BOARD}/cards/{{card_id}}"
_CHECKLIST = f"{_CARD}/checklists/{{checklist_id}}"


def full_lists(visitor: Visitor) -> None:
    """No card enters a full list, on whatever way."""
    here = visitor.board()
    full, spare = here.full_list(), here.list()
    here.refused(409, "POST", f"{_BOARD}/cards", {"title": "One more", "list_id": full})
    outside = here.at(card_id=here.card(list_id=spare), list_id=spare)
    outside.refused(409, "POST", f"{_CARD}/move", {"list_id": full, "position": "top"})
    outside.refused(409, "POST", f"{_LIST}/move-cards", {"list_id": full})
    away = visitor.board()
    away.at(card_id=away.card()).refused(
        409, "POST", f"{_CARD}/transfer", {"board_id": here.there["board_id"], "list_id": full}
    )


def cards_of_a_full_list(visitor: Visitor) -> None:
    """What left a list that is full by now doesn't come back, and nothing in it is doubled."""
    here = visitor.board()
    for away, back in (("POST", "unarchive"), ("DELETE", "restore")):
        narrow = here.list(wip_limit=1, wip_enforcement="block")
        left = here.at(card_id=here.card(list_id=narrow))
        left.ask(away, f"{_CARD}/archive" if away == "POST" else _CARD)
        here.card(list_id=narrow)
        left.refused(409, "POST", f"{_CARD}/{back}")
    narrow = here.list(wip_limit=1, wip_enforcement="block")
    inside = here.at(card_id=here.card(list_id=narrow))
    inside.refused(409, "POST", f"{_CARD}/copy", {})
    made = inside.ask("POST", f"{_CARD}/checklists", {"name": "Steps"})
    made = (inside := inside.at(checklist_id=made["id"])).ask("POST", f"{_CHECKLIST}/items", {"text": "Try it"})
    inside.at(item_id=made["id"]).refused(409, "POST", f"{_CHECKLIST}/items/{{item_id}}/convert", {})


def taken_names(visitor: Visitor) -> None:
    """One external id, and one name of a label, for one thing at a time."""
    export = {
        "id": "64f0c0ffee0123456789abcd",
        "name": "From Trello",
        "lists": [{"id": "1", "name": "To do"}],
        "cards": [],
    }
    made = visitor.ask("POST", "/imports/trello", export)
    imported = visitor.at(board_id=made["board"]["id"])
    imported.ask("DELETE", _BOARD)
    visitor.ask("POST", "/imports/trello", export)
    imported.refused(409, "POST", f"{_BOARD}/restore")
    here = visitor.board()
    here = here.at(list_id=here.list(external_id="taken"))
    here.ask("DELETE", _LIST)
    here.list(external_id="taken")
    here.refused(409, "POST", f"{_LIST}/restore")
    here.card(external_id="taken")
    here.at(card_id=here.card()).refused(409, "PATCH", _CARD, {"external_id": "taken"})
    here.ask("POST", f"{_BOARD}/labels", {"name": "Bug", "color": "red"})
    made = here.ask("POST", f"{_BOARD}/labels", {"name": "Idea", "color": "green"})
    here.at(label_id=made["id"]).refused(409, "PATCH", f"{_BOARD}/labels/{{label_id}}", {"name": "BUG"})


def running_clocks(visitor: Visitor) -> None:
    """More clocks run than one archiving may stop."""
    here = visitor.board()
    here = here.at(list_id=here.there["doing"])
    for _ in range(31):
        here.card(list_id=here.there["doing"])
    here.refused(409, "POST", f"{_LIST}/archive")
    here.refused(409, "POST", f"{_BOARD}/archive")


def full_cards(visitor: Visitor) -> None:
    """The hundred and first item, the thousand and first comment, and more than one request copies."""
    here = visitor.board()
    for _ in range(39):
        here.card()
    here = here.at(card_id=here.card())
    here.ask("POST", f"{_BOARD}/lists/{{list_id}}/copy", {})
    here.card()
    here.refused(409, "POST", f"{_LIST}/copy", {})
    checklists = [here.ask("POST", f"{_CARD}/checklists", {"name": "Steps"})["id"] for _ in range(20)]
    here.refused(409, "POST", f"{_CARD}/checklists", {"name": "Steps"})
    here = here.at(checklist_id=checklists[0])
    items = [here.ask("POST", f"{_CHECKLIST}/items", {"text": "Try it"})["id"] for _ in range(100)]
    here.refused(409, "POST", f"{_CHECKLIST}/items", {"text": "Try it"})
    here.at(item_id=items[0]).refused(
        422, "PATCH", f"{_CHECKLIST}/items/{{item_id}}", {"assignee_id": "nobody_of_this_board"}
    )
    for _ in range(1_000):
        here.ask("POST", f"{_CARD}/comments", {"text": "Looks good."})
    here.refused(409, "POST", f"{_CARD}/comments", {"text": "Looks good."})


def assignees(visitor: Visitor) -> None:
    """The forty-first assignee of a card."""
    here = visitor.board()
    here = here.at(card_id=here.card())
    for number in range(41):
        made = visitor.ask("POST", "/users", {"name": f"Member {number}"})
        here = here.at(user_id=made["user"]["id"])
        here.ask("PUT", f"{_BOARD}/members/{{user_id}}", {"role": "viewer"})
        here.ask("PUT", f"{_CARD}/assignees/{{user_id}}", status=409 if number == 40 else 200)


def time_entries(visitor: Visitor) -> None:
    """Nobody works on a card twice at one time."""
    here = visitor.board()
    here = here.at(card_id=here.card())
    nine, ten, eleven = (f"2026-01-05T{hour}:00:00Z" for hour in ("09", "10", "11"))
    here.ask("POST", f"{_CARD}/time-entries", {"started_at": nine, "ended_at": ten})
    here.refused(409, "POST", f"{_CARD}/time-entries", {"started_at": nine, "ended_at": eleven})
    made = here.ask("POST", f"{_CARD}/time-entries", {"started_at": ten, "ended_at": eleven})
    here.at(entry_id=made["id"]).refused(409, "PATCH", f"{_CARD}/time-entries/{{entry_id}}", {"started_at": nine})


def keys_used_again(visitor: Visitor) -> None:
    """A key belongs to one request."""
    here = visitor.board()
    here.ask("POST", "/boards", {"name": "One"}, key="walked")
    here.refused(422, "POST", "/boards", {"name": "Two"}, key="walked")
    one, two = (here.at(card_id=here.card()) for _ in "12")
    for act in ("start", "resolve", "reopen"):
        two.ask("POST", f"{_CARD}/{act}", key="two")
        one.ask("POST", f"{_CARD}/{act}", key="one")
        two.refused(422, "POST", f"{_CARD}/{act}", key="one")


def finished_by_a_move(visitor: Visitor) -> None:
    """Cards that come to a list of what is done, by themselves from another board and all of a list at once."""
    here, away = visitor.board(), visitor.board()
    here.card()
    here.ask("POST", f"{_LIST}/move-cards", {"list_id": here.there["done"]})
    target = {"board_id": here.there["board_id"], "list_id": here.there["done"]}
    away.at(card_id=away.card()).ask("POST", f"{_CARD}/transfer", target)
    here.ask("GET", f"{_BOARD}/events")


def tokens_of_tokens(visitor: Visitor) -> None:
    """A token that outlives, outranks or reaches what it comes from, and the eleventh generation."""
    full, token = ["read", "write", "admin"], "/users/me/tokens/{token_id}"

    def made(by: Visitor, **given: object) -> Visitor:
        """A visitor with a new token, before that token."""
        answer = by.ask("POST", "/users/me/tokens", {"name": "Child", "scopes": full, **given})
        return replace(by, client=by.client.with_token(answer["secret"])).at(token_id=answer["token"]["id"])

    child, keeper = made(visitor), made(visitor, scopes=["admin"])
    made(child).at(**child.there).refused(403, "DELETE", token)
    replace(keeper, there=child.there).refused(403, "DELETE", token)
    replace(child, there=keeper.there).refused(403, "POST", f"{token}/rotate")
    made(visitor, expires_at="2900-01-01T00:00:00Z").refused(
        422, "POST", "/users/me/tokens", {"name": "Later", "scopes": ["read"], "expires_at": "2900-01-01T00:00:01Z"}
    )
    last = child
    # The visitor's own token may have ancestors already.
    while (below := last.client.post("/users/me/tokens", {"name": "Child", "scopes": full})).status != 409:
        last = replace(last, client=last.client.with_token(below.json["secret"]))
    last.refused(409, "POST", "/users/me/tokens", {"name": "Child", "scopes": full})
    gone = replace(child, client=visitor.client)
    gone.ask("POST", f"{token}/rotate")
    gone.ask("DELETE", token)
    gone.refused(404, "POST", f"{token}/rotate")
    gone.refused(404, "DELETE", token)


def doors(visitor: Visitor) -> None:
    """A token that nobody knows, and an import that is too large."""
    stranger = replace(visitor, client=visitor.client.with_token("tkb_" + "0" * 40))
    stranger.refused(401, "POST", "/users", {"name": "Stranger"})
    visitor.refused(413, "POST", "/imports/trello", _MORE_THAN_AN_IMPORT)


WALKS: tuple[Callable[[Visitor], None], ...] = (
    full_lists,
    cards_of_a_full_list,
    taken_names,
    running_clocks,
    full_cards,
    assignees,
    time_entries,
    keys_used_again,
    finished_by_a_move,
    tokens_of_tokens,
    doors,
)
