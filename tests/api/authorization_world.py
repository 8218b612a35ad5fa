"""Boards, users and tokens of every kind, for requests of every operation by every kind of caller."""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from app.factory import create_app
from contract.responses import ContractBreach
from contract.wsgi_application import WsgiApplication
from kanban import jobs, tokens
from kanban.changes import ActionContext, Change
from kanban.store import Store
from kanban.values import Identity, InstallationRole, JobKind, Role, Scope
from oidc.providers import BearerTokens
from tests.api.authorization_operations import RESOURCES, Credentials
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.oidc.scripted_provider import ScriptedProvider

OWN = "own"
OTHER = "somebody else's"

TOKENS = "/users/me/tokens"

API = "https://api.example.test"
"""The audience of the provider's tokens that call the API."""


class RecordingStore:
    """A store, or a part of one, that remembers which of its methods are called."""

    def __init__(self, store: Any, calls: list[str]) -> None:
        self._store = store
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store that is remembered when it is called, or a part of the store."""
        value = getattr(self._store, name)
        if not callable(value):
            return RecordingStore(value, self.calls)

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            return value(*arguments, **options)

        return call


@dataclass(frozen=True)
class Caller:
    """A client of a user, what it has, and ids of what is the user's own or came from the token."""

    client: Client
    credentials: Credentials
    user_id: str = "nia"
    ids: Mapping[str, str] = field(default_factory=dict)


class World:
    """A board with members in every role, one of a stranger, and callers of every kind.

    Nia owns a board and the installation: each limited token is one of hers, so that it lacks one thing only.
    """

    def __init__(self, store: Store, provider: ScriptedProvider) -> None:
        self.calls: list[str] = []
        self._store = store
        self._provider = provider
        self.clock = ManualClock()
        provider.now = lambda: self.clock().timestamp()
        self._anonymous = Client(self.build_application(open_signup=True))
        self.users: dict[str, Client] = {}
        for user_id in ("root", "nia", "mina", "edith", "vicky", "omar", "olga", "fay", "dee", "back", "zoe", "gone"):
            signed_up = self._anonymous.post("/users", {"id": user_id, "name": user_id.title()})
            assert signed_up.status == 201, signed_up.raw
            self.users[user_id] = self._anonymous.with_token(signed_up.json["token"])
        self.root, self.nia = self.users["root"], self.users["nia"]
        self.root.patch("/users/nia", {"installation_role": "owner"}, If_Match="*")
        self.ids = {OTHER: self._fill_board(self.users["olga"]), OWN: self._fill_board(self.nia)}
        path = f"/boards/{self.ids[OWN]['board_id']}"
        self.list_ids: list[str] = [item["id"] for item in self.nia.get(f"{path}/lists").json["items"]]
        self.exported: Any = self.nia.get(f"{path}/export").json
        self.board_of_nia = self._create(self.nia, "/boards", {"name": "Elsewhere"})
        self.roles = {"mina": Role.OWNER, "edith": Role.EDITOR, "vicky": Role.VIEWER, "robot": Role.EDITOR}
        self.ids_of_bots = {user_id: self._create_bot(user_id) for user_id in (*self.users,)}
        self._add_members()
        self._invite_and_identify()
        self.received_invitation_ids = self._ask_to_join()
        self.callers = self._build_callers()
        olga = Caller(self.users["olga"], self._describe_user("olga"), "olga")
        self.ids_of_olga = self._give_own_things(olga).ids
        self.code: str = self.users["zoe"].post("/users/me/sign-in-codes").json["code"]

    def build_application(self, *, open_signup: bool, joining_takes_consent: bool = False) -> WsgiApplication:
        """Build an application on the store, where anybody can sign up or nobody, and a provider has issued tokens."""

        def raise_breach(breach: ContractBreach) -> None:
            raise AssertionError(breach)

        return create_app(
            cast("Store", RecordingStore(self._store, self.calls)),
            clock=self.clock,
            # Every attempt is made in a minute of its own: none is one too many.
            unix_time=itertools.count(step=60).__next__,
            random_bytes=random.Random(7).randbytes,  # noqa: S311 - tests need the same secrets in every run.
            sleep=lambda _: None,
            open_signup=open_signup,
            joining_takes_consent=joining_takes_consent,
            providers=(self._provider.configure(bearer=BearerTokens(API, tuple(Scope))),),
            on_breach=raise_breach,
        )

    @staticmethod
    def _create(client: Client, path: str, body: Any = None) -> str:
        """Create something and return its id."""
        response = client.post(path, body)
        assert response.status == 201, response.raw
        created: dict[str, Any] = response.json
        secret = {"token", "webhook", "invitation", "session"} & created.keys() if "id" not in created else ()
        return str((created[secret.pop()] if secret else created)["id"])

    def _fill_board(self, owner: Client) -> dict[str, str]:
        """Create a board with something of every kind; return the ids by the names that parameters have."""
        board_id = self._create(owner, "/boards", {"name": "Website"})
        path = f"/boards/{board_id}"
        lists = [item["id"] for item in owner.get(f"{path}/lists").json["items"]]
        card_ids = [self._create(owner, f"{path}/cards", {"title": "Card"}) for _ in range(4)]
        card = f"{path}/cards/{card_ids[0]}"
        owner.patch(f"{path}/cards/{card_ids[3]}", {"title": "Renamed"}, If_Match="*")
        self.undoable_seq: int = owner.get(path).json["seq"]
        for steps, card_id in ((["start"], card_ids[1]), (["start", "resolve"], card_ids[2])):
            for step in steps:
                owner.post(f"{path}/cards/{card_id}/{step}")
        checklist_id = self._create(owner, f"{card}/checklists", {"name": "Steps"})
        interval = {"started_at": "2026-01-05T14:00:00Z", "ended_at": "2026-01-05T14:15:45Z"}
        return {
            "board_id": board_id,
            "list_id": lists[0],
            "second_list_id": lists[1],
            "card_id": card_ids[0],
            "running_card_id": card_ids[1],
            "done_card_id": card_ids[2],
            "second_card_id": card_ids[3],
            "user_id": "mina",
            "label_id": self._create(owner, f"{path}/labels", {"name": "Bug", "color": "red"}),
            "checklist_id": checklist_id,
            "item_id": self._create(owner, f"{card}/checklists/{checklist_id}/items", {"text": "Try it"}),
            "comment_id": self._create(owner, f"{card}/comments", {"text": "Looks good."}),
            "entry_id": self._create(owner, f"{card}/time-entries", interval),
            "webhook_id": self._create(owner, f"{path}/webhooks", {"url": "https://example.com/in"}),
            "invitation_id": self._create(owner, f"{path}/invitations", {"role": "viewer"}),
            "provider_id": "keycloak",
        }

    def _create_bot(self, user_id: str) -> dict[str, str]:
        """Create a bot of a user, and return its ids. That of Zoe is a caller."""
        bot_id = "robot" if user_id == "zoe" else f"bot-of-{user_id}"
        created = self.users[user_id].post("/users/me/bots", {"id": bot_id, "name": "Robot", "scopes": list(Scope)})
        self.users |= {bot_id: self._anonymous.with_token(created.json["secret"])} if bot_id == "robot" else {}
        return {"bot_id": bot_id, "bot_token_id": created.json["token"]["id"]}

    def _add_members(self) -> None:
        board = f"/boards/{self.ids[OWN]['board_id']}"
        editors = dict.fromkeys(("fay", "dee", "back", "gone"), Role.EDITOR)
        for user_id, role in (self.roles | editors).items():
            assert self.nia.put(f"{board}/members/{user_id}", {"role": role}).status == 201
        for user_id in ("mina", "edith", "robot"):
            assert self.nia.put(f"/boards/{self.board_of_nia}/members/{user_id}", {"role": "editor"}).status == 201
            comments = f"{board}/cards/{self.ids[OWN]['card_id']}/comments"
            self.ids[OWN][f"comment_id of {user_id}"] = self._create(self.users[user_id], comments, {"text": "Hm."})
        assert self.users["fay"].delete(f"{board}/members/fay").status == 204
        for user_id in ("dee", "back", "gone"):
            assert self.root.post(f"/users/{user_id}/deactivate").status == 200
        assert self.root.post("/users/back/reactivate").status == 200

    def _invite_and_identify(self) -> None:
        invited = self.root.post("/invitations", {"max_uses": 50}).json
        self.installation_invitation: str = invited["invitation"]["id"]
        self.secret: str = invited["secret"]
        self.identity_ids = {user_id: f"idn_{number:026}" for number, user_id in enumerate(self.users, 1)}
        for user_id, identity_id in self.identity_ids.items():
            identity = Identity(identity_id, user_id, self._provider.issuer, user_id, self.clock())
            self._store.commit(Change(creates=(identity,)))
        self.job_ids = {user_id: f"job_{number:026}" for number, user_id in enumerate(self.users, 1)}
        for user_id, job_id in self.job_ids.items():
            context = ActionContext(user_id, self.clock(), {"job": job_id}.__getitem__)
            self._store.commit(Change(creates=(jobs.create(JobKind.DELETE_USER, f"of-{user_id}", context),)))

    def _ask_to_join(self) -> dict[str, str]:
        """Ask every user to join a board of a stranger; return the ids of the invitations by the user's."""
        application = self.build_application(open_signup=True, joining_takes_consent=True)
        boards = {
            "olga": self._create(self.users["olga"], "/boards", {"name": "Spam"}),
            "nia": self._create(self.nia, "/boards", {"name": "For Olga"}),
        }
        ids = {}
        for user_id in self.users.keys() - {"dee", "gone"}:
            owner_id = "nia" if user_id == "olga" else "olga"
            owner, board = replace(self.users[owner_id], application=application), f"/boards/{boards[owner_id]}"
            assert owner.put(f"{board}/members/{user_id}", {"role": "editor"}).json["state"] == "invited"
            items = owner.get(f"{board}/invitations").json["items"]
            ids[user_id] = next(item["id"] for item in items if item["invitee_id"] == user_id)
        return ids

    def _issue(self, user_id: str, **changes: Any) -> str:
        """Return a token of the provider for the API, for the account of a user."""
        return self._provider.sign_id_token(**{"sub": user_id, "aud": API, "nonce": ..., "typ": "Bearer", **changes})

    def _build_callers(self) -> dict[str, Caller]:
        """Return the callers by name. Each has used its token, so that no use of it is recorded later."""
        rejected = self._build_rejected()
        callers = self._build_limited() | self._build_people()
        return rejected | {name: self._give_own_things(caller) for name, caller in callers.items()}

    def _build_rejected(self) -> dict[str, Caller]:
        valid = self.nia.token or ""
        _, unknown, _ = tokens.open_session(
            ActionContext("nia", self.clock(), lambda kind: kind),
            random.Random(8).randbytes,  # noqa: S311 - tests need the same secrets in every run.
            user_id="nia",
            name="x",
        )
        secrets = {
            "malformed token": "tkb_1",
            "mistyped token": valid[:-1] + ("B" if valid.endswith("A") else "A"),
            "unknown token": unknown,
            "deactivated user": self.users["dee"].token,
            "reactivated user": self.users["back"].token,
        }
        for name in ("revoked token", "rotated token", "expired token"):
            limit = {"expires_at": "2026-11-20T14:30:00Z"} if name == "expired token" else {}
            made = self.nia.post(TOKENS, {"name": name, "scopes": list(Scope), **limit}).json
            secrets[name] = made["secret"]
            path = f"{TOKENS}/{made['token']['id']}"
            if name == "revoked token":
                self.nia.delete(path)
            elif name == "rotated token":
                self.nia.post(f"{path}/rotate")
        session = self._sign_in(self.nia)
        secrets["ended session"] = session["token"]
        self.nia.delete(f"/users/me/sessions/{session['session']['id']}")
        expired = self._issue("nia")
        self.clock.advance(hours=1)
        secrets |= {
            "expired token of a provider": expired,
            "token of another issuer": self._issue("nia", iss="https://other.example.test"),
            "token of a provider for another API": self._issue("nia", aud="other"),
            "token of a provider for an unknown account": self._issue("nobody"),
            "token of a provider for a deactivated user": self._issue("dee"),
        }
        invalid = Credentials(is_valid=False)
        return {"no token": Caller(self._anonymous, Credentials(is_sent=False))} | {
            name: Caller(self._anonymous.with_token(secret), invalid) for name, secret in secrets.items()
        }

    def _build_limited(self) -> dict[str, Caller]:
        """Return callers with tokens of Nia that lack one thing each, and one with a session, which lacks nothing."""
        full = self._describe_user("nia")
        limits: dict[str, dict[str, Any]] = {
            "child of a token": {},
            **{f"token without the scope {scope}": {"scopes": frozenset(Scope) - {scope}} for scope in Scope},
            "token of another board": {"board_ids": (self.board_of_nia,)},
            **{f"token with max_role {role}": {"max_role": role} for role in (Role.VIEWER, Role.EDITOR)},
            **{
                f"token without the resource {resource}": {"resources": frozenset(RESOURCES) - {resource}}
                for resource in RESOURCES
            },
        }
        callers = {"session": Caller(self._anonymous.with_token(self._sign_in(self.nia)["token"]), full)}
        for name, limit in limits.items():
            body = {"name": "Limited", "scopes": list(Scope)} | {
                key: sorted(value) if isinstance(value, frozenset) else value for key, value in limit.items()
            }
            created = self.nia.post(TOKENS, body)
            assert created.status == 201, created.raw
            # The first token of Nia is no session, so this one is its child.
            credentials = replace(full, has_parent=True, **limit)
            callers[name] = Caller(self._anonymous.with_token(created.json["secret"]), credentials)
        return callers

    def _build_people(self) -> dict[str, Caller]:
        names = {
            "installation owner who is no member": "root",
            "stranger": "omar",
            "former member": "fay",
            "viewer": "vicky",
            "editor": "edith",
            "owner of the board": "mina",
            "owner of the board and of the installation": "nia",
            "bot that is an editor": "robot",
        }
        people = {
            name: Caller(self.users[user_id], self._describe_user(user_id), user_id) for name, user_id in names.items()
        }
        for name in ("owner of the board and of the installation", "editor", "stranger"):
            caller = people[name]
            client = self._anonymous.with_token(self._issue(caller.user_id))
            credentials = replace(caller.credentials, is_of_provider=True)
            people[f"{name}, by a provider"] = replace(caller, client=client, credentials=credentials)
        return people

    def _describe_user(self, user_id: str) -> Credentials:
        """Return what a user has with a token that isn't limited."""
        own, other = (self.ids[owner]["board_id"] for owner in (OWN, OTHER))
        roles = {
            "nia": {own: Role.OWNER, self.board_of_nia: Role.OWNER},
            "olga": {other: Role.OWNER},
            **{member_id: {own: role} for member_id, role in self.roles.items()},
        }
        is_owner = user_id in ("root", "nia")
        return Credentials(
            installation_role=InstallationRole.OWNER if is_owner else InstallationRole.MEMBER,
            roles=roles.get(user_id, {}),
            is_bot=user_id == "robot",
        )

    def _sign_in(self, client: Client) -> dict[str, Any]:
        code = client.post("/users/me/sign-in-codes").json["code"]
        session: dict[str, Any] = client.post("/sessions", {"code": code, "name": "Phone"}).json
        return session

    def _give_own_things(self, caller: Caller) -> Caller:
        """Return the caller with a session, an identity, a job, a bot and a token.

        The token comes from the caller's if that is possible, and is used once.
        """
        user = self.users[caller.user_id]
        ids = {
            "identity_id": self.identity_ids[caller.user_id],
            "job_id": self.job_ids[caller.user_id],
            "received_invitation_id": self.received_invitation_ids[caller.user_id],
        }
        if not caller.credentials.is_bot:
            ids |= {"session_id": self._sign_in(user)["session"]["id"], **self.ids_of_bots[caller.user_id]}
        scopes = sorted(caller.credentials.scopes)
        created = caller.client.post(TOKENS, {"name": "Child", "scopes": scopes})
        if created.status != 201:
            created = user.post(TOKENS, {"name": "Child", "scopes": scopes})
        caller.client.get("/boards")
        return replace(caller, ids={**ids, "token_id": created.json["token"]["id"]})
