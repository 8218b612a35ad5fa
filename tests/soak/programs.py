"""Random programs of requests, run on the application and on the model at the same time.

A program is a sequence of numbers. Each step chooses its request by its own number and the present state. So steps can
be left out of a program, and the others still make sense.
"""

from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import NoReturn

from app.factory import create_app
from contract.responses import ContractBreach
from kanban.store import Store
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.soak.model import Model
from tests.soak.observer import Difference, Observer
from tests.soak.randomness import seeded_random
from tests.soak.request_generator import RequestGenerator

STEPS = 50

_ARCHIVE_ACTIONS = ("archive", "unarchive", "restore")
_ROUTES = {
    "create_board": ("POST", "/boards"),
    "update_board": ("PATCH", "/boards/{board}"),
    "delete_board": ("DELETE", "/boards/{board}"),
    "create_list": ("POST", "/boards/{board}/lists"),
    "update_list": ("PATCH", "/boards/{board}/lists/{column}"),
    "move_list": ("POST", "/boards/{board}/lists/{column}/move"),
    "delete_list": ("DELETE", "/boards/{board}/lists/{column}"),
    "create_card": ("POST", "/boards/{board}/cards"),
    "update_card": ("PATCH", "/boards/{board}/cards/{card}"),
    "move_card": ("POST", "/boards/{board}/cards/{card}/move"),
    "start_card": ("POST", "/boards/{board}/cards/{card}/start"),
    "resolve_card": ("POST", "/boards/{board}/cards/{card}/resolve"),
    "reopen_card": ("POST", "/boards/{board}/cards/{card}/reopen"),
    "delete_card": ("DELETE", "/boards/{board}/cards/{card}"),
    "put_member": ("PUT", "/boards/{board}/members/{member}"),
    "remove_member": ("DELETE", "/boards/{board}/members/{member}"),
    "assign_card": ("PUT", "/boards/{board}/cards/{card}/assignees/{member}"),
    "unassign_card": ("DELETE", "/boards/{board}/cards/{card}/assignees/{member}"),
    "create_label": ("POST", "/boards/{board}/labels"),
    "update_label": ("PATCH", "/boards/{board}/labels/{label}"),
    "delete_label": ("DELETE", "/boards/{board}/labels/{label}"),
    "label_card": ("PUT", "/boards/{board}/cards/{card}/labels/{label}"),
    "unlabel_card": ("DELETE", "/boards/{board}/cards/{card}/labels/{label}"),
    "create_comment": ("POST", "/boards/{board}/cards/{card}/comments"),
    "update_comment": ("PATCH", "/boards/{board}/cards/{card}/comments/{part}"),
    "delete_comment": ("DELETE", "/boards/{board}/cards/{card}/comments/{part}"),
    "create_checklist": ("POST", "/boards/{board}/cards/{card}/checklists"),
    "update_checklist": ("PATCH", "/boards/{board}/cards/{card}/checklists/{part}"),
    "move_checklist": ("POST", "/boards/{board}/cards/{card}/checklists/{part}/move"),
    "delete_checklist": ("DELETE", "/boards/{board}/cards/{card}/checklists/{part}"),
    "create_checklist_item": ("POST", "/boards/{board}/cards/{card}/checklists/{part}/items"),
    "update_checklist_item": ("PATCH", "/boards/{board}/cards/{card}/checklists/{part}/items/{item}"),
    "move_checklist_item": ("POST", "/boards/{board}/cards/{card}/checklists/{part}/items/{item}/move"),
    "delete_checklist_item": ("DELETE", "/boards/{board}/cards/{card}/checklists/{part}/items/{item}"),
    "convert_checklist_item": ("POST", "/boards/{board}/cards/{card}/checklists/{part}/items/{item}/convert"),
    "copy_board": ("POST", "/boards/{board}/copy"),
    "copy_list": ("POST", "/boards/{board}/lists/{column}/copy"),
    "copy_card": ("POST", "/boards/{board}/cards/{card}/copy"),
    "order_lists": ("PUT", "/boards/{board}/list-order"),
    "order_cards": ("PUT", "/boards/{board}/lists/{column}/card-order"),
    "sort_cards": ("POST", "/boards/{board}/lists/{column}/sort"),
    "move_cards": ("POST", "/boards/{board}/lists/{column}/move-cards"),
    "transfer_card": ("POST", "/boards/{board}/cards/{card}/transfer"),
    "create_time_entry": ("POST", "/boards/{board}/cards/{card}/time-entries"),
    "update_time_entry": ("PATCH", "/boards/{board}/cards/{card}/time-entries/{part}"),
    "delete_time_entry": ("DELETE", "/boards/{board}/cards/{card}/time-entries/{part}"),
    **{f"{step}_board": ("POST", f"/boards/{{board}}/{step}") for step in _ARCHIVE_ACTIONS},
    **{f"{step}_list": ("POST", f"/boards/{{board}}/lists/{{column}}/{step}") for step in _ARCHIVE_ACTIONS},
    **{f"{step}_card": ("POST", f"/boards/{{board}}/cards/{{card}}/{step}") for step in _ARCHIVE_ACTIONS},
}
_ORDERING_OPERATIONS = frozenset(("order_lists", "order_cards", "sort_cards"))
_PAUSES_IN_MINUTES = (*(0, 0, 0, 0, 1 / 60, 37 / 60, 20, 180, 1_380) * 6, 30 * 24 * 60)
"""How much time can pass before a step: mostly none, sometimes so much that an idempotency key expires.

About once in a program it is as long as deleted things can be restored.
"""

Program = Sequence[int]


def generate_program(seed: int) -> Program:
    """Return the fifty steps of a seed."""
    rng = seeded_random("program", seed)
    return [rng.getrandbits(32) for _ in range(STEPS)]


class ProgramRun:
    """One run of a program on a store, which may hold the boards of other runs.

    `name` must be new in the store: all ids and secrets follow from it. `log` has the requests and responses.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.log: list[str] = []
        self._clock = ManualClock()
        application = create_app(
            store,
            clock=self._clock,
            random_bytes=seeded_random("ids", name).randbytes,
            sleep=lambda _: None,
            open_signup=True,
            on_breach=_raise_on_breach,
        )
        self._clients: dict[str, Client] = {}
        names = {}
        for user in ("Ann", "Bob"):
            created = Client(application).post("/users", {"name": user}).json
            self._clients[created["user"]["id"]] = Client(application, created["token"])
            names[created["user"]["id"]] = user
        self._model = Model(self._clock.now, names)
        self._generator = RequestGenerator(self._model, list(self._clients))
        self._observer = Observer(self._model, self._clients)

    @property
    def responses(self) -> list[bytes]:
        """Return all responses to the byte, except for cursors, which differ between stores."""
        return self._observer.responses

    def run(self, program: Program) -> None:
        """Run all steps, and then compare everything. Raises Difference."""
        for step in program:
            self._run_step(seeded_random(step))
        self._observer.check_everything()

    def _run_step(self, rng: Random) -> None:
        self._clock.advance(minutes=rng.choice(_PAUSES_IN_MINUTES))
        self._model.now = self._clock.now
        request = self._generator.next(rng)
        method, address = _ROUTES[request.operation]
        path = address.format(
            board=request.board,
            column=request.column,
            card=request.card,
            label=request.label,
            member=request.member,
            part=request.part,
            item=request.item,
        )
        headers = {"If-Match": request.etag, "Idempotency-Key": request.key}
        sent_headers = {name: text for name, text in headers.items() if text is not None}
        response = self._clients[request.user].request(method, path, request.body, headers=sent_headers)
        self.log.append(
            f"{self._clock.now:%d %H:%M:%S} {request.user} {method} {path} {request.body or ''} {sent_headers or ''}\n"
            f"    {response.status} {response.headers.get('etag', '')} {response.raw.decode()}"
        )
        moved = self._observer.read_moved_ids(request.board) if request.operation in _ORDERING_OPERATIONS else ()
        self._observer.check_response(self._model.apply(request, response, moved), response)
        self._observer.check_board(request.board)
        if request.operation == "transfer_card":
            self._observer.check_board(request.fields["board_id"])


def run_program(store: Store, seed: int) -> list[bytes]:
    """Run the program of a seed; return the responses.

    Raises Difference, with the log of the shortest failing program found, if a response is not as the model expects.
    """
    program = generate_program(seed)
    run = ProgramRun(store, f"Program {seed}")
    try:
        run.run(program)
    except AssertionError:
        _raise_with_shortest(store, seed, program)
    return run.responses


def shorten(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Return the program without the steps that it doesn't need to fail."""
    for step in reversed(program):
        without = [other for other in program if other != step]
        if fails(without):
            program = without
    return program


def _raise_with_shortest(store: Store, seed: int, program: Program) -> NoReturn:
    names = (f"Program {seed}, attempt {number}" for number in count(1))

    def fails(steps: Program) -> bool:
        try:
            ProgramRun(store, next(names)).run(steps)
        except AssertionError:
            return True
        return False

    shortest = shorten(program, fails)
    run = ProgramRun(store, next(names))
    try:
        run.run(shortest)
    except AssertionError as difference:
        log = "\n".join(run.log)
        summary = f"Program {seed} fails, with {len(shortest)} of its steps already"
        raise Difference(f"{summary}:\n{log}\n{difference}") from None
    raise Difference(f"Program {seed} failed, but not when it was run again:\n" + "\n".join(run.log))


def _raise_on_breach(breach: ContractBreach) -> None:
    raise AssertionError(breach)
