"""Commit what a handler wants changed, exactly once.

A handler returns a response and the change that it stands for; the response has been checked against the document by
the time it comes here. Then the change is committed together with the stored response of the idempotency key, both or
neither. If the board has changed since it was read, the handler runs again.

Within a process, requests that write to one board take turns, so that they don't make each other's reads stale. Other
processes may still be first.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from app.board_turns import BoardTurns
from contract.messages import Response
from contract.operations import Call
from contract.preferences import DRY_RUN
from contract.request_context import get_request_context
from contract.responses import ContractBreach
from kanban import audit_log
from kanban.access import ensure_permitted, ensure_resources
from kanban.bots import PersonOnly
from kanban.changes import ActionContext, Change
from kanban.errors import (
    Conflict,
    DomainError,
    ExternalIdTaken,
    IdempotencyKeyReused,
    NotFound,
    UnknownReference,
    Unprocessable,
    conflict_for_duplicate,
)
from kanban.store import AlreadyExists, Busy, StaleRead, Store, StoredResponse
from kanban.tokens import TokenChanged
from kanban.values import Scope
from usecases.duplicates import ensure_no_duplicates, find_card_with_external_id
from usecases.user_boards import commit_step

MAX_ATTEMPTS = 12
"""How often a handler runs for one request before the client is asked to come back later."""

IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)
"""How long the response to a request with an idempotency key is kept."""

TURN_SECONDS = 5.0
"""How long a request waits for its turn to write to a board before the client is asked to come back later."""

PATIENCE_SECONDS = 1.5
"""How long a request makes more than two attempts: any longer, and requests wait mostly for each other.

A heavy request has no such limit, because one attempt may take longer.
"""

FIRST_DELAY_SECONDS = 0.005
MAX_DOUBLINGS = 6


class IdempotentCommit:
    """Commit a handler's change: retry on conflict, replay the stored response of a known idempotency key."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        random_fraction: Callable[[], float],
        *,
        build_context: Callable[[Call], ActionContext],
        list_resources: Callable[[Call], Iterable[str]] = lambda _: (),
        turn_seconds: float = TURN_SECONDS,
        monotonic_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the step.

        `now` returns the present time in whole seconds, `random_fraction` a number from 0 to 1. `build_context` says
        who acts, for the audit log. `list_resources` returns the resources that a token needs for a request, if it is
        narrowed by resources.
        """
        self._store = store
        self._now = now
        self._sleep = sleep
        self._random_fraction = random_fraction
        self._build_context = build_context
        self._list_resources = list_resources
        self._turns = BoardTurns(turn_seconds)
        self._monotonic_clock = monotonic_clock

    def __call__(self, call: Call, handle: Callable[[], Response]) -> Response:
        """Run the handler, commit its change, and return the response to send.

        Raises:
            ScopeMissing: The token lacks the operation's scope.
            ResourceMissing: The token lacks a resource that the request needs.
            PersonOnly: Only people can call the operation, and the caller is a bot.
            IdempotencyKeyReused: The key belongs to a different request.
            Busy: Other processes were first `MAX_ATTEMPTS` times or for `PATIENCE_SECONDS`, or the turn to write to the
                board did not come.
            DomainError: The handler raised it.
        """
        scope = call.operation.extensions.get("x-tackboard-scope")
        if scope and call.caller:
            ensure_permitted(call.caller, scope)
            if call.caller.limits.resources is not None:
                ensure_resources(call.caller, self._list_resources(call))
            if call.caller.is_bot and call.operation.extensions.get("x-tackboard-caller") == "person":
                raise PersonOnly
        if call.request.method == "GET":
            return _ensure_no_change(call, handle())
        is_dry_run = call.is_dry_run
        try:
            response = self._run_dry(call, handle) if is_dry_run else self._commit(call, handle)
        except (Conflict, Unprocessable, NotFound) as error:
            # A repeated request can fail because its first attempt succeeded: then that stored response is returned.
            # Callers without access to the board get the error, so former members see no stored response.
            stored = self._read_stored_response(call) if _has_board_access(error) else None
            if stored is None:
                if isinstance(error, ExternalIdTaken) and Scope.READ not in call.caller.scopes:
                    error.holder_id = None
                raise
            response = stored
        return _describe_dry_run(response) if is_dry_run else response

    def _commit(self, call: Call, handle: Callable[[], Response]) -> Response:
        # A heavy request may read for seconds: it makes others wait only if they were first meanwhile.
        attempts_without_turn = 1 if call.operation.is_heavy else 0
        response = self._try_to_commit(call, handle, range(attempts_without_turn))
        if response is None:
            with self._take_turn(call):
                response = self._try_to_commit(call, handle, range(attempts_without_turn, MAX_ATTEMPTS))
        if response is None:
            raise Busy
        return response

    def _run_dry(self, call: Call, handle: Callable[[], Response]) -> Response:
        """Return the response that the request would have if nobody else was first. Nothing is written."""
        response = handle()
        stored = self._read_stored_response(call)
        if stored is not None:
            return stored
        if response.change is not None:
            ensure_no_duplicates(self._store, response.change)
        return response

    def _take_turn(self, call: Call) -> AbstractContextManager[None]:
        """Return the context in which a request writes to the board of its path, if it has one."""
        board_id = call.arguments.get("board_id")
        # Not even a wait for its writers may tell that there is a board which the token doesn't reach.
        if board_id is None or not (call.caller is None or call.caller.reaches(board_id)):
            return nullcontext()
        return self._turns.take(board_id)

    def _try_to_commit(self, call: Call, handle: Callable[[], Response], attempts: range) -> Response | None:
        """Return the response of the first attempt that nobody else's write makes stale; None if all are stale."""
        gives_up_at = inf if call.operation.is_heavy else self._monotonic_clock() + PATIENCE_SECONDS
        for attempt in attempts:
            response = handle()
            to_store = self._build_stored_response(call, response) if call.idempotency_key else None
            if response.change is None and to_store is None:
                return response
            try:
                self._write(call, response.change, to_store)
            except StaleRead:
                self._ensure_active(call)
                call.request.context.retries += 1
                if attempt and self._monotonic_clock() > gives_up_at:
                    return None
                self._pause(attempt)
            except AlreadyExists as error:
                stored = self._read_stored_response(call) if error.constraint == "idempotency_key" else None
                if stored is None:
                    raise self._build_conflict(error, response.change) from error
                return stored
            else:
                return response
        return None

    def _write(self, call: Call, change: Change | None, to_store: StoredResponse | None) -> None:
        """Write the change, which must find the caller active, and then its steps; or raise as the store does."""
        if change is None:
            self._store.commit(Change(), to_store)
            return
        if call.caller and change.active_user_id is None:
            change = replace(change, active_user_id=call.caller.user_id)
        if audit_log.concerns(change):
            change = audit_log.record(change, self._build_context(call))
        if not change.steps:
            self._store.commit(change, to_store)
            return
        self._store.commit(replace(change, steps=()))
        for step in change.steps:
            # The turn to write to the board of the path is taken already.
            with nullcontext() if step.board_id == call.arguments.get("board_id") else self._turns.take(step.board_id):
                commit_step(self._store, step, self._pause)
        # It comes last: a request that was interrupted is repeated in full.
        if to_store:
            self._store.commit(Change(), to_store)

    def _ensure_active(self, call: Call) -> None:
        """Raise TokenChanged if the caller was deactivated while the request was under way: each attempt would fail."""
        user = self._store.read_user(call.caller.user_id) if call.caller else None
        if user is not None and user.deactivated_at is not None:
            raise TokenChanged

    def _pause(self, attempt: int) -> None:
        seconds = self._random_fraction() * FIRST_DELAY_SECONDS * 2 ** min(attempt, MAX_DOUBLINGS)
        get_request_context().pause_seconds += seconds
        self._sleep(seconds)

    def _build_conflict(self, error: AlreadyExists, change: Change) -> Conflict:
        """Return the error for a duplicate, with the card that has the external id."""
        conflict = conflict_for_duplicate(error.constraint)
        if isinstance(conflict, ExternalIdTaken) and conflict.kind == "card":
            conflict.holder_id = find_card_with_external_id(self._store, change)
        return conflict

    def _build_stored_response(self, call: Call, response: Response) -> StoredResponse:
        now = self._now()
        return StoredResponse(
            key=call.idempotency_key or "",
            user_id=call.caller.user_id,
            operation_id=call.operation.id,
            fingerprint=_compute_fingerprint(call),
            status=response.status,
            headers=response.headers,
            body=response.body,
            created_at=now,
            expires_at=now + IDEMPOTENCY_KEY_LIFETIME,
        )

    def _read_stored_response(self, call: Call) -> Response | None:
        """Return the response stored for the call's idempotency key, None if there is none.

        Raises:
            IdempotencyKeyReused: The key belongs to a different request.
        """
        if not call.idempotency_key:
            return None
        now = self._now()
        stored = self._store.read_stored_response(call.caller.user_id, call.operation.id, call.idempotency_key, now)
        if stored is None:
            return None
        if stored.fingerprint != _compute_fingerprint(call):
            raise IdempotencyKeyReused
        call.request.context.is_replayed = True
        return Response(stored.status, (*stored.headers, ("idempotency-replayed", "true")), stored.body)


def _ensure_no_change(call: Call, response: Response) -> Response:
    """Return the response of a GET, which commits nothing. Raises ContractBreach."""
    if response.change is not None:
        raise ContractBreach(f"{call.operation.id} is a GET, and wants to commit a change")
    return response


def _compute_fingerprint(call: Call) -> str:
    """Return what a stored response belongs to: the request, and what narrows the token.

    So the response to a wider token never reaches a narrower one, which may not see it.
    """
    return call.compute_fingerprint(call.caller.audience) if call.caller.is_narrowed else call.compute_fingerprint()


def _has_board_access(error: DomainError) -> bool:
    """Tell whether the caller got past the check of membership, of the board in the path and of one in the body."""
    if isinstance(error, UnknownReference):
        return error.field != "board_id"
    return not (isinstance(error, NotFound) and error.kind == "board")


def _describe_dry_run(response: Response) -> Response:
    """Return the response of a dry run: it says that it is one, and gives no address of something that isn't there."""
    headers = (header for header in response.headers if header[0] != "location")
    return Response(response.status, (*headers, ("preference-applied", DRY_RUN)), response.body, code=response.code)
