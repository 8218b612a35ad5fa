"""Boards, lists, cards and tokens that exist, for generated requests to use."""

from collections.abc import Collection, Iterator
from itertools import count
from typing import Any

from tests.api.client import Client
from tests.oidc.scripted_provider import sign_in_at

_REQUIRED_ACTIONS = {"resolve_card": ("start",), "reopen_card": ("start", "resolve"), "unarchive_card": ("archive",)}
"""What must have happened to a card before an act makes sense."""

_PROVIDER_OPERATIONS = ("create_authorization", "create_provider_session", "create_identity", "delete_identity")

REDIRECT_URI = "https://boards.example.test/"
"""Where a browser comes back to from a provider."""

_PAST_HOUR = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T10:00:00Z"}
"""An hour that is over, whenever this runs."""


MAX_WAIT_SECONDS = 25
"""How long a request may wait for news, as the document says."""

UNREACHABLE_URL = "https://hooks.invalid/in"
"""The URL of a receiver whose name resolves nowhere (RFC 6761), so that the events of a test are not sent anywhere."""


class ExistingData:
    """Makes what a request needs, through the API, as the fuzzing user."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._keys = count()
        self._used_keys: set[str] = set()
        self._own_id: str = client.get("/users/me").json["id"]
        self._other_id: str = client.post("/users", {"name": "Guest"}).json["user"]["id"]
        self._own_token: str = client.get("/users/me/tokens").json["items"][0]["id"]

    def prepare(self, case: Any, valid_cases: Iterator[int]) -> None:
        """Make of a generated request one that a client could send.

        Ids, entity tags and cursors can't be guessed, so without this nearly every valid request would end in 404,
        412 or 400. Every second one gets what a client would have read before; the others stay as they were
        generated. In the stateful phase links give the ids, and what would break a chain of them is put right.
        """
        if case.headers and case.headers.get("If-None-Match") == "0":
            # schemathesis fills the other headers of a case without Authorization with 0, adds Authorization
            # all the same, and then takes the request for a valid one.
            del case.headers["If-None-Match"]
        self.keep_own_token(case)
        self.keep_own_user(case)
        self.shorten_wait(case)
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        self.remove_generated_cursor(case)
        self._renew_used_key(case)
        if case.meta.phase.name.value == "stateful":
            self._keep_link_chain_alive(case)
        elif next(valid_cases) % 2 == 0:
            self.replace_ids(case)

    def _renew_used_key(self, case: Any) -> None:
        """Replace a key that was used before: schemathesis repeats keys, and the second request is rightly rejected."""
        key = (case.headers or {}).get("Idempotency-Key")
        if key in self._used_keys:
            case.headers["Idempotency-Key"] = f"key-{next(self._keys)}"
        elif key is not None:
            self._used_keys.add(key)

    def _keep_link_chain_alive(self, case: Any) -> None:
        """Avoid accidental 304, 412 and 422 responses, which end a chain of links, and links from what is null."""
        for name, value in case.path_parameters.items():
            if value in (None, "None"):
                # An invitation to the installation has no board, and schemathesis takes null for an id.
                case.path_parameters[name] = self._create("/boards", {"name": "Ground"})
        headers = case.headers or {}
        headers.pop("If-None-Match", None)
        if "If-Match" in headers:
            headers["If-Match"] = "*"
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = f"key-{next(self._keys)}"

    def keep_own_token(self, case: Any) -> None:
        """Never revoke or rotate the token that everything is sent with: all later answers would be 401."""
        if case.path_parameters.get("token_id") == self._own_token:
            case.path_parameters["token_id"] = self._create_token()

    def keep_own_user(self, case: Any) -> None:
        """Never deactivate the user as whom everything is sent, nor take its role in the installation."""
        operation_id = case.operation.definition.raw["operationId"]
        if operation_id in ("deactivate_user", "update_user") and case.path_parameters.get("user_id") == self._own_id:
            case.path_parameters["user_id"] = self._other_id

    def shorten_wait(self, case: Any) -> None:
        """Wait a second for news at most: schemathesis gives up after ten."""
        wait = str((case.query or {}).get("wait"))
        if wait.isdigit() and 1 < int(wait) <= MAX_WAIT_SECONDS:
            case.query["wait"] = 1

    def remove_generated_cursor(self, case: Any) -> None:
        """Remove a generated cursor: cursors are sealed, so an invented one is rightly rejected."""
        if case.query and "cursor" in case.query:
            del case.query["cursor"]

    def replace_ids(self, case: Any) -> None:
        """Replace ids, entity tag and idempotency key by such as a client would have at hand."""
        operation_id = case.operation.definition.raw["operationId"]
        self._replace_ids_of_users(case, operation_id)
        if "If-Match" in case.headers:
            case.headers["If-Match"] = "*"
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"key-{next(self._keys)}"
        if operation_id == "import_tackboard":
            case.body = self._export()
        if "board_id" in case.path_parameters:
            self._replace_board_ids(case, operation_id)

    def _replace_ids_of_users(self, case: Any, operation_id: str) -> None:
        """Replace what is about users, and how they sign in."""
        if operation_id in ("revoke_token", "rotate_token"):
            case.path_parameters["token_id"] = self._create_token()
        if "bot_id" in case.path_parameters:
            self._replace_bot(case)
        if operation_id == "end_session":
            case.path_parameters["session_id"] = self._sign_in()
        if operation_id in ("get_invitation", "accept_invitation", "revoke_installation_invitation"):
            self._replace_invitation(case)
        if operation_id in ("accept_received_invitation", "decline_invitation"):
            case.path_parameters["invitation_id"] = self._receive_invitation()
        if operation_id == "create_session":
            case.body["code"] = self._create_code()
        self._replace_user_and_job(case, operation_id)
        if operation_id == "transfer_boards":
            case.path_parameters["user_id"] = self._create_deactivated_user()
            case.body["to_user_id"] = self._own_id
        if operation_id in _PROVIDER_OPERATIONS:
            self._replace_provider(case, operation_id)

    def _export(self) -> dict[str, Any]:
        """Export a board: a generated export refers to things that are not in it."""
        path = f"/boards/{self._client.post('/boards', {'name': 'Ground'}).json['id']}"
        self._client.post(f"{path}/cards", {"title": "Card"})
        exported: dict[str, Any] = self._client.get(f"{path}/export").json
        return exported

    def _replace_board_ids(self, case: Any, operation_id: str) -> None:
        path = f"/boards/{self._client.post('/boards', {'name': 'Ground'}).json['id']}"
        todo, doing, *rest = (item["id"] for item in self._client.get(f"{path}/lists").json["items"])
        card, neighbour = (self._client.post(f"{path}/cards", {"title": "Card"}).json["id"] for _ in range(2))
        for step in _REQUIRED_ACTIONS.get(operation_id, ()):
            self._client.post(f"{path}/cards/{card}/{step}")
        there = {"board_id": path.removeprefix("/boards/"), "list_id": todo, "card_id": card, "user_id": self._own_id}
        if operation_id in ("put_member", "remove_member"):
            there["user_id"] = self._other_id
        there |= self._create_parts(path, card, case.path_parameters)
        neighbours = {"move_list": doing, "move_card": neighbour}
        if "checklist_id" in case.path_parameters:
            checklists = f"{path}/cards/{card}/checklists"
            there["checklist_id"], neighbours["move_checklist"] = (
                self._create(checklists, {"name": "Steps"}) for _ in "12"
            )
            items = f"{checklists}/{there['checklist_id']}/items"
            there["item_id"], neighbours["move_checklist_item"] = (
                self._create(items, {"text": "Try it"}) for _ in "12"
            )
        case.path_parameters |= {name: there.get(name, made_up) for name, made_up in case.path_parameters.items()}
        if isinstance(case.body, dict):
            real = {"list_id": todo, "label_ids": [], "assignee_ids": [self._own_id], "assignee_id": self._own_id}
            real |= {**_PAST_HOUR, "user_id": self._own_id}
            real |= {"url": UNREACHABLE_URL, "from_seq": 1}
            real |= dict.fromkeys(("before", "after"), neighbours.get(operation_id, neighbour))
            real |= {"card_ids": [neighbour, card], "list_ids": [doing, todo, *rest]}
            if operation_id == "move_cards":
                real["list_id"] = doing
            elif operation_id == "transfer_card":
                real["board_id"] = self._create("/boards", {"name": "Other ground"})
                case.body.pop("list_id", None)
            case.body = case.body | {name: real[name] for name in case.body if name in real}

    def _create_parts(self, path: str, card: str, parameters: Collection[str]) -> dict[str, str]:
        """Create a label, a comment, a time entry, a webhook and an invitation, as far as the path has their ids."""
        ids = {}
        if "label_id" in parameters:
            ids["label_id"] = self._create(f"{path}/labels", {"name": "Bug", "color": "red"})
        if "comment_id" in parameters:
            ids["comment_id"] = self._create(f"{path}/cards/{card}/comments", {"text": "Looks good."})
        if "entry_id" in parameters:
            ids["entry_id"] = self._create(f"{path}/cards/{card}/time-entries", _PAST_HOUR)
        if "webhook_id" in parameters:
            created = self._client.post(f"{path}/webhooks", {"url": UNREACHABLE_URL}).json
            ids["webhook_id"] = created["webhook"]["id"]
        if "invitation_id" in parameters:
            created = self._client.post(f"{path}/invitations", {"role": "viewer"}).json
            ids["invitation_id"] = created["invitation"]["id"]
        return ids

    def _create(self, path: str, body: dict[str, str]) -> str:
        """Create something at a path and return its id."""
        made_id: str = self._client.post(path, body).json["id"]
        return made_id

    def _replace_invitation(self, case: Any) -> None:
        """Replace id and secret by those of an invitation that can be accepted."""
        made = self._client.post("/invitations", {}).json
        case.path_parameters["invitation_id"] = made["invitation"]["id"]
        if "Invitation-Secret" in (case.headers or {}):
            case.headers["Invitation-Secret"] = made["secret"]
        if isinstance(case.body, dict):
            case.body["secret"] = made["secret"]

    def _replace_provider(self, case: Any, operation_id: str) -> None:
        """Replace what a request says of a provider by what a browser comes back with, if the server has one."""
        providers = self._client.get("/sign-in").json["providers"]
        if not providers:
            return
        provider_id = providers[0]["id"]
        if operation_id in ("create_provider_session", "delete_identity"):
            # Each account is one of this user, so that nobody else signs in with it.
            linked = self._client.post(
                "/users/me/identities", self._come_back(provider_id) | {"provider_id": provider_id}
            )
            if operation_id == "delete_identity":
                case.path_parameters["identity_id"] = linked.json["id"]
        if "provider_id" in case.path_parameters:
            case.path_parameters["provider_id"] = provider_id
        if operation_id == "create_authorization":
            case.body["redirect_uri"] = REDIRECT_URI
        elif isinstance(case.body, dict):
            fields = {"provider_id": provider_id, **self._come_back(provider_id)}
            case.body |= {name: value for name, value in fields.items() if name in case.body}

    def _come_back(self, provider_id: str) -> dict[str, str]:
        """Sign in with a provider; return what the browser comes back with, and the attempt."""
        begun = self._client.post(f"/sign-in/{provider_id}/authorizations", {"redirect_uri": REDIRECT_URI}).json
        returned = sign_in_at(begun["authorization_url"])
        return {"attempt": begun["attempt"], "state": returned["state"], "code": returned["code"]}

    def _replace_bot(self, case: Any) -> None:
        """Replace the bot by an active one of the fuzzing user, who may have few."""
        bots = self._client.get("/users/me/bots").json["items"]
        if bots:
            bot_id = bots[0]["id"]
            self._client.post(f"/users/{bot_id}/reactivate")
        else:
            bot_id = self._client.post("/users/me/bots", {"name": "Robot", "scopes": ["read"]}).json["user"]["id"]
        case.path_parameters["bot_id"] = bot_id
        if isinstance(case.body, dict) and case.body.get("board_ids"):
            case.body["board_ids"] = [self._create("/boards", {"name": "Ground"})]
        if "token_id" in case.path_parameters:
            made = self._client.post(f"/users/me/bots/{bot_id}/tokens", {"name": "Robot", "scopes": ["read"]}).json
            case.path_parameters["token_id"] = made["token"]["id"]

    def _create_deactivated_user(self) -> str:
        user_id: str = self._client.post("/users", {"name": "Left"}).json["user"]["id"]
        self._client.post(f"/users/{user_id}/deactivate")
        return user_id

    def _receive_invitation(self) -> str:
        """Let somebody who shares no board with the fuzzing user ask them to join one, where that takes consent."""
        stranger = self._client.with_token(self._client.post("/users", {"name": "Stranger"}).json["token"])
        path = f"/boards/{stranger.post('/boards', {'name': 'Ground'}).json['id']}"
        stranger.request("PUT", f"{path}/members/{self._own_id}", {"role": "viewer"})
        invitation_id: str = self._client.get("/users/me/invitations").json["items"][0]["id"]
        return invitation_id

    def _create_code(self) -> str:
        code: str = self._client.post("/users/me/sign-in-codes").json["code"]
        return code

    def _replace_user_and_job(self, case: Any, operation_id: str) -> None:
        """Replace the user to delete by one that can be deleted, and the job by one that can be cancelled."""
        if operation_id == "delete_user":
            case.path_parameters["user_id"] = self._create_deactivated_user()
        if "job_id" in case.path_parameters:
            case.path_parameters["job_id"] = self._start_job()

    def _start_job(self) -> str:
        job_id: str = self._client.delete(f"/users/{self._create_deactivated_user()}").json["id"]
        return job_id

    def _sign_in(self) -> str:
        made = self._client.post("/sessions", {"code": self._create_code(), "name": "Fuzz"})
        session_id: str = made.json["session"]["id"]
        return session_id

    def _create_token(self) -> str:
        made = self._client.post("/users/me/tokens", {"name": "Fuzz", "scopes": ["read"]})
        token_id: str = made.json["token"]["id"]
        return token_id
