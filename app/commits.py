"""Settling: between a handler's answer and the client stands exactly one commit.

A handler only says what it wants changed. Its answer has been checked against the document by the time it comes here;
then the change is committed together with the record of the idempotency key, all or nothing. If the board has moved
on meanwhile, everything is read and decided again.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from contract.operations import Call
from contract.request_context import increment_request_context
from contract.responses import Response
from kanban.access import ensure_permitted
from kanban.changes import Change
from kanban.errors import Conflict, DomainError, IdempotencyKeyReused, NotFound, Unprocessable, conflict_for_duplicate
from kanban.store import AlreadyExists, Busy, StaleRead, Store, StoredResponse
from kanban.values import Scope

MAX_ATTEMPTS = 12
"""How often a change is decided before the caller is asked to come back later."""

IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)
"""How long the answer to an idempotency key is remembered."""


class IdempotentCommit:
    """Commits what answers want, decides again when someone else was first, replays what was answered before."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        random_fraction: Callable[[], float],
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._random_fraction = random_fraction

    def __call__(self, call: Call, handle: Callable[[], Response]) -> Response:
        """The response to send. Raises ScopeMissing, Busy, IdempotencyKeyReused, or what the handler raises."""
        scope = call.operation.extensions.get("x-tackboard-scope")
        if scope and call.caller:
            ensure_permitted(call.caller, Scope(scope))
        try:
            return self._commit(call, handle)
        except (Conflict, Unprocessable, NotFound) as refused:
            # A repeated request may well be refused because its first sending went through: then that answer stands.
            # Whoever may not enter the board is refused first, so nothing is replayed to someone who has left it.
            earlier = self._stored_response(call) if _has_board_access(refused) else None
            if earlier is None:
                raise
            return earlier

    def _commit(self, call: Call, handle: Callable[[], Response]) -> Response:
        for attempt in range(MAX_ATTEMPTS):
            response = handle()
            remember = self._response_record(call, response) if call.idempotency_key else None
            if response.change is None and remember is None:
                return response
            try:
                self._store.commit(response.change or Change(), remember)
            except StaleRead:
                increment_request_context("retries")
                self._sleep(self._random_fraction() * 0.005 * 2 ** min(attempt, 6))
            except AlreadyExists as exists:
                earlier = self._stored_response(call) if exists.constraint == "idempotency_key" else None
                if earlier is None:
                    raise conflict_for_duplicate(exists.constraint) from exists
                return earlier
            else:
                return response
        raise Busy

    def _response_record(self, call: Call, response: Response) -> StoredResponse:
        now = self._clock().replace(microsecond=0)
        return StoredResponse(
            key=call.idempotency_key or "",
            user_id=call.caller.user_id,
            operation_id=call.operation.id,
            fingerprint=call.compute_fingerprint(),
            status=response.status,
            headers=response.headers,
            body=response.body,
            created_at=now,
            expires_at=now + IDEMPOTENCY_KEY_LIFETIME,
        )

    def _stored_response(self, call: Call) -> Response | None:
        """The answer that was given to this key, if any; raises IdempotencyKeyReused when it asked something else."""
        if not call.idempotency_key:
            return None
        earlier = self._store.read_stored_response(
            call.caller.user_id, call.operation.id, call.idempotency_key, self._clock().replace(microsecond=0)
        )
        if earlier is None:
            return None
        if earlier.fingerprint != call.compute_fingerprint():
            raise IdempotencyKeyReused
        response = Response(earlier.status, earlier.headers, earlier.body)
        return replace(response, headers=(*earlier.headers, ("idempotency-replayed", "true")))


def _has_board_access(error: DomainError) -> bool:
    return not (isinstance(error, NotFound) and error.kind == "board")
