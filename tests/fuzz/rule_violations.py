"""Boards led to where a rule says no: a full list, a name that is taken, the hundred and first item.

Generated requests don't get there: thirty clocks never run at once by chance. Each walk prepares its board through
the API and ends in the refusal that it is about, and everything that it sends is part of the recorded traffic. Add
the walk of a new rule here. No walk leads to the 409 of import_trello, for which two imports have to meet, nor to that
of rotate_token, for which time has to pass, nor to those of quotas, which an installation has to have.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TextIO

from tests.api.client import Client
from tests.fuzz.documented_statuses import Attempt, build_exchange, send_attempt
from tests.live_server import LiveServer
from tools.openapi.bundle import Operation

_TOO_LARGE_IMPORT = b" " * (5 * 1024 * 1024 + 1)


@dataclass(frozen=True)
class RuleBreaker:
    """Somebody who asks, keeps what was said, and insists on the status that was announced."""

    client: Client
    server: LiveServer
    file: TextIO
    operations: dict[tuple[str, str], Operation]
    ids: dict[str, str] = field(default_factory=dict)
    """What stands for the names in the paths."""

    def with_ids(self, **there: str) -> "RuleBreaker":
        """Return the same user with more ids."""
        return replace(self, ids=self.ids | there)

    def request(self, method: str, template: str, body: object = None, *, status: int = 0, key: str = "") -> Any:
        """Send a request and return the parsed body, or None. Raises AssertionError for an unexpected status.

        Any success will do where no status is said.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if method in ("PATCH", "DELETE"):
            headers["If-Match"] = "*"
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        attempt = Attempt(headers, raw_body=raw)
        operation, path = self.operations[method, template], template.format(**self.ids)
        answer = send_attempt(self.client, operation, path, attempt)
        assert answer is not None, f"{operation.id} was not answered."
        is_expected = answer.status == status if status else answer.status < HTTPStatus.BAD_REQUEST
        assert is_expected, f"{operation.id} was answered with {answer.status}: {answer.raw[:400]!r}"
        self.file.write(json.dumps(build_exchange(operation, self.server, path, attempt, answer)) + "\n")
        return answer.json if answer.raw else None

    def expect_error(self, status: int, method: str, template: str, body: object = None, *, key: str = "") -> None:
        """Ask for what must be refused."""
        self.request(method, template, body, status=status, key=key)

    def create_board(self) -> "RuleBreaker":
        """Create a board. Return the user with its id and those of its three lists."""
        made = self.request("POST", "/boards", {"name": "Refusals"})
        here = self.with_ids(board_id=made["id"])
        todo, doing, done = (item["id"] for item in here.request("GET", "/boards/{board_id}/lists")["items"])
        return here.with_ids(list_id=todo, todo=todo, doing=doing, done=done)

    def create_list(self, **fields: object) -> str:
        """Create a list and return its id."""
        made: str = self.request("POST", f"{_BOARD}/lists", {"name": "A list", "stage": "todo", **fields})["id"]
        return made

    def create_card(self, **fields: object) -> str:
        """Create a card and return its id."""
        made: str = self.request("POST", f"{_BOARD}/cards", {"title": "A card", **fields})["id"]
        return made

    def create_full_list(self) -> str:
        """Create a list with a WIP limit of one and one card, and return its id."""
        made = self.create_list(wip_limit=1, wip_enforcement="block")
        self.create_card(list_id=made)
        return made


_BOARD = "/boards/{board_id}"
_LIST = f"{_BOARD}/lists/{{list_id}}"
_CARD = f"{_BOARD}/cards/{{card_id}}"
_CHECKLIST = f"{_CARD}/checklists/{{checklist_id}}"


def fill_lists(visitor: RuleBreaker) -> None:
    """No card enters a full list, on whatever way."""
    here = visitor.create_board()
    full, spare = here.create_full_list(), here.create_list()
    here.expect_error(409, "POST", f"{_BOARD}/cards", {"title": "One more", "list_id": full})
    outside = here.with_ids(card_id=here.create_card(list_id=spare), list_id=spare)
    outside.expect_error(409, "POST", f"{_CARD}/move", {"list_id": full, "position": "top"})
    outside.expect_error(409, "POST", f"{_LIST}/move-cards", {"list_id": full})
    away = visitor.create_board()
    away.with_ids(card_id=away.create_card()).expect_error(
        409, "POST", f"{_CARD}/transfer", {"board_id": here.ids["board_id"], "list_id": full}
    )


def return_to_full_lists(visitor: RuleBreaker) -> None:
    """Return cards to a list that has become full, and copy cards in it."""
    here = visitor.create_board()
    for away, back in (("POST", "unarchive"), ("DELETE", "restore")):
        narrow = here.create_list(wip_limit=1, wip_enforcement="block")
        left = here.with_ids(card_id=here.create_card(list_id=narrow))
        left.request(away, f"{_CARD}/archive" if away == "POST" else _CARD)
        here.create_card(list_id=narrow)
        left.expect_error(409, "POST", f"{_CARD}/{back}")
    narrow = here.create_list(wip_limit=1, wip_enforcement="block")
    inside = here.with_ids(card_id=here.create_card(list_id=narrow))
    inside.expect_error(409, "POST", f"{_CARD}/copy", {})
    made = inside.request("POST", f"{_CARD}/checklists", {"name": "Steps"})
    made = (inside := inside.with_ids(checklist_id=made["id"])).request(
        "POST", f"{_CHECKLIST}/items", {"text": "Try it"}
    )
    inside.with_ids(item_id=made["id"]).expect_error(409, "POST", f"{_CHECKLIST}/items/{{item_id}}/convert", {})


def reuse_names(visitor: RuleBreaker) -> None:
    """One external id, and one name of a label, for one thing at a time."""
    export = {
        "id": "64f0c0ffee0123456789abcd",
        "name": "From Trello",
        "lists": [{"id": "1", "name": "To do"}],
        "cards": [],
    }
    made = visitor.request("POST", "/imports/trello", export)
    imported = visitor.with_ids(board_id=made["board"]["id"])
    imported.request("DELETE", _BOARD)
    visitor.request("POST", "/imports/trello", export)
    imported.expect_error(409, "POST", f"{_BOARD}/restore")
    here = visitor.create_board()
    here = here.with_ids(list_id=here.create_list(external_id="taken"))
    here.request("DELETE", _LIST)
    here.create_list(external_id="taken")
    here.expect_error(409, "POST", f"{_LIST}/restore")
    here.create_card(external_id="taken")
    here.with_ids(card_id=here.create_card()).expect_error(409, "PATCH", _CARD, {"external_id": "taken"})
    here.request("POST", f"{_BOARD}/labels", {"name": "Bug", "color": "red"})
    made = here.request("POST", f"{_BOARD}/labels", {"name": "Idea", "color": "green"})
    here.with_ids(label_id=made["id"]).expect_error(409, "PATCH", f"{_BOARD}/labels/{{label_id}}", {"name": "BUG"})


def archive_running_clocks(visitor: RuleBreaker) -> None:
    """More clocks run than one archiving may stop."""
    here = visitor.create_board()
    here = here.with_ids(list_id=here.ids["doing"])
    for _ in range(31):
        here.create_card(list_id=here.ids["doing"])
    here.expect_error(409, "POST", f"{_LIST}/archive")
    here.expect_error(409, "POST", f"{_BOARD}/archive")


def fill_cards(visitor: RuleBreaker) -> None:
    """Create one item and one comment too many, and copy more than one request may."""
    here = visitor.create_board()
    for _ in range(39):
        here.create_card()
    here = here.with_ids(card_id=here.create_card())
    here.request("POST", f"{_BOARD}/lists/{{list_id}}/copy", {})
    here.create_card()
    here.expect_error(409, "POST", f"{_LIST}/copy", {})
    checklists = [here.request("POST", f"{_CARD}/checklists", {"name": "Steps"})["id"] for _ in range(20)]
    here.expect_error(409, "POST", f"{_CARD}/checklists", {"name": "Steps"})
    here = here.with_ids(checklist_id=checklists[0])
    items = [here.request("POST", f"{_CHECKLIST}/items", {"text": "Try it"})["id"] for _ in range(100)]
    here.expect_error(409, "POST", f"{_CHECKLIST}/items", {"text": "Try it"})
    here.with_ids(item_id=items[0]).expect_error(
        422, "PATCH", f"{_CHECKLIST}/items/{{item_id}}", {"assignee_id": "nobody_of_this_board"}
    )
    for _ in range(1_000):
        here.request("POST", f"{_CARD}/comments", {"text": "Looks good."})
    here.expect_error(409, "POST", f"{_CARD}/comments", {"text": "Looks good."})


def exceed_assignees(visitor: RuleBreaker) -> None:
    """Assign one member too many to a card."""
    here = visitor.create_board()
    here = here.with_ids(card_id=here.create_card())
    for number in range(41):
        made = visitor.request("POST", "/users", {"name": f"Member {number}"})
        here = here.with_ids(user_id=made["user"]["id"])
        here.request("PUT", f"{_BOARD}/members/{{user_id}}", {"role": "viewer"})
        here.request("PUT", f"{_CARD}/assignees/{{user_id}}", status=409 if number == 40 else 200)


def overlap_time_entries(visitor: RuleBreaker) -> None:
    """Nobody works on a card twice at one time."""
    here = visitor.create_board()
    here = here.with_ids(card_id=here.create_card())
    nine, ten, eleven = (f"2026-01-05T{hour}:00:00Z" for hour in ("09", "10", "11"))
    here.request("POST", f"{_CARD}/time-entries", {"started_at": nine, "ended_at": ten})
    here.expect_error(409, "POST", f"{_CARD}/time-entries", {"started_at": nine, "ended_at": eleven})
    made = here.request("POST", f"{_CARD}/time-entries", {"started_at": ten, "ended_at": eleven})
    here.with_ids(entry_id=made["id"]).expect_error(
        409, "PATCH", f"{_CARD}/time-entries/{{entry_id}}", {"started_at": nine}
    )


def reuse_idempotency_keys(visitor: RuleBreaker) -> None:
    """Use an idempotency key for another request."""
    here = visitor.create_board()
    here.request("POST", "/boards", {"name": "One"}, key="walked")
    here.expect_error(422, "POST", "/boards", {"name": "Two"}, key="walked")
    one, two = (here.with_ids(card_id=here.create_card()) for _ in "12")
    for act in ("start", "resolve", "reopen"):
        two.request("POST", f"{_CARD}/{act}", key="two")
        one.request("POST", f"{_CARD}/{act}", key="one")
        two.expect_error(422, "POST", f"{_CARD}/{act}", key="one")


def finish_by_moving(visitor: RuleBreaker) -> None:
    """Cards that come to a list of what is done, by themselves from another board and all of a list at once."""
    here, away = visitor.create_board(), visitor.create_board()
    here.create_card()
    here.request("POST", f"{_LIST}/move-cards", {"list_id": here.ids["done"]})
    target = {"board_id": here.ids["board_id"], "list_id": here.ids["done"]}
    away.with_ids(card_id=away.create_card()).request("POST", f"{_CARD}/transfer", target)
    here.request("GET", f"{_BOARD}/events")


def exceed_parent_tokens(visitor: RuleBreaker) -> None:
    """Create tokens that outlive or outrank their parent, or manage it, and one generation too many."""
    full, token = ["read", "write", "admin"], "/users/me/tokens/{token_id}"

    def made(by: RuleBreaker, **fields: object) -> RuleBreaker:
        """Return a user with a new token, and the id of that token."""
        answer = by.request("POST", "/users/me/tokens", {"name": "Child", "scopes": full, **fields})
        return replace(by, client=by.client.with_token(answer["secret"])).with_ids(token_id=answer["token"]["id"])

    child, keeper = made(visitor), made(visitor, scopes=["admin"])
    made(child).with_ids(**child.ids).expect_error(403, "DELETE", token)
    replace(keeper, ids=child.ids).expect_error(403, "DELETE", token)
    replace(child, ids=keeper.ids).expect_error(403, "POST", f"{token}/rotate")
    made(visitor, expires_at="2900-01-01T00:00:00Z").expect_error(
        422, "POST", "/users/me/tokens", {"name": "Later", "scopes": ["read"], "expires_at": "2900-01-01T00:00:01Z"}
    )
    last = child
    # The visitor's own token may have ancestors already.
    while (below := last.client.post("/users/me/tokens", {"name": "Child", "scopes": full})).status != 409:
        last = replace(last, client=last.client.with_token(below.json["secret"]))
    last.expect_error(409, "POST", "/users/me/tokens", {"name": "Child", "scopes": full})
    gone = replace(child, client=visitor.client)
    gone.request("POST", f"{token}/rotate")
    gone.request("DELETE", token)
    gone.expect_error(404, "POST", f"{token}/rotate")
    gone.expect_error(404, "DELETE", token)


def exceed_limits_of_tokens(visitor: RuleBreaker) -> None:
    """Ask with narrowed tokens for other boards and resources, for a higher role, and for what is not narrowed."""
    board, other, new = visitor.create_board(), visitor.create_board(), "/users/me/tokens"
    limits = {"board_ids": [board.ids["board_id"]], "max_role": "editor", "resources": ["boards", "tokens"]}
    body = {"name": "Child", "scopes": ["read", "write", "admin"]}
    token = board.request("POST", new, body | limits)["secret"]
    narrowed = replace(board, client=board.client.with_token(token))
    replace(narrowed, ids=other.ids).expect_error(404, "GET", _BOARD)
    narrowed.expect_error(403, "PATCH", _BOARD, {"name": "Other"})
    narrowed.expect_error(403, "GET", f"{_BOARD}/lists")
    narrowed.expect_error(403, "POST", "/boards", {"name": "New"})
    narrowed.expect_error(403, "POST", f"{_BOARD}/copy", {})
    narrowed.expect_error(403, "POST", "/users", {"name": "New"})
    for wider in ({"board_ids": [other.ids["board_id"]]}, {"max_role": "owner"}, {"resources": ["cards"]}):
        narrowed.expect_error(422, "POST", new, body | wider)


def send_unknown_token_and_large_import(visitor: RuleBreaker) -> None:
    """Send an unknown token, and an import that is too large."""
    stranger = replace(visitor, client=visitor.client.with_token("tkb_" + "0" * 40))
    stranger.expect_error(401, "POST", "/users", {"name": "Stranger"})
    visitor.expect_error(413, "POST", "/imports/trello", _TOO_LARGE_IMPORT)


SCENARIOS: tuple[Callable[[RuleBreaker], None], ...] = (
    fill_lists,
    return_to_full_lists,
    reuse_names,
    archive_running_clocks,
    fill_cards,
    exceed_assignees,
    overlap_time_entries,
    reuse_idempotency_keys,
    finish_by_moving,
    exceed_parent_tokens,
    exceed_limits_of_tokens,
    send_unknown_token_and_large_import,
)
