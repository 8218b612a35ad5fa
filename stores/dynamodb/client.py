"""The client of DynamoDB that the store uses: retries within a deadline, and the port's errors."""

import random
import time
from collections.abc import Callable
from typing import Any

from kanban.store import Busy, StoreError, Unavailable
from stores.dynamodb.calls import CallNotPossible, CallRejected, Client, OutcomeUnknown, Response

MAX_RETRY_SECONDS = 5.0
"""How many seconds a call is retried while other writers are in the way."""

MIN_REMAINING_SECONDS = 2.5
"""How many seconds the caller needs for its own response: if fewer remain, no call is begun."""

_MAX_TRANSPORT_FAILURES = 3
FIRST_BACKOFF = 0.025
MAX_BACKOFF = 0.8
_SERVER_ERROR_STATUS = 500

CONDITION_FAILED = "ConditionalCheckFailed"

_RETRYABLE_CODES = frozenset(
    (
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    )
)
_RETRYABLE_REASONS = frozenset(
    (
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    )
)


class ConditionFailed(Exception):
    """Raised when a condition of a write or of a transaction fails.

    Attributes:
        reasons: One reason for each write, in order, as DynamoDB answers them.
        may_have_succeeded: Whether an earlier attempt may have been carried out, so that the condition fails because
            of it.
    """

    def __init__(self, reasons: list[Response], *, may_have_succeeded: bool) -> None:
        super().__init__("A condition failed.")
        self.reasons = reasons
        self.may_have_succeeded = may_have_succeeded


class TransactionConflicted(Busy):
    """Raised when DynamoDB cancels a transaction because others are writing its items.

    It was not carried out, neither now nor by an earlier attempt.
    """


class InvalidRequest(StoreError):
    """Raised when DynamoDB understands a request but finds it invalid."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class RequestDenied(Unavailable):
    """Raised when DynamoDB takes no requests: there is no such table, no permission, or no valid credentials."""

    def __init__(self, code: str) -> None:
        super().__init__(f"DynamoDB refuses calls: {code}.")
        self.code = code


class RetryingClient:
    """Calls operations of a client by name, with retries and exponential backoff."""

    def __init__(
        self,
        client: Client,
        *,
        remaining_seconds: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        random_float: Callable[[], float] = random.random,
    ) -> None:
        """Create a client; `remaining_seconds` returns how long its caller may still take, None without a deadline."""
        self._client = client
        self.remaining_seconds = remaining_seconds
        self._sleep = sleep
        self._monotonic_clock = monotonic_clock
        self._wall_clock = wall_clock
        self._random_float = random_float
        self._is_closed = False

    def __call__(
        self, operation: str, *, retries: bool = True, retries_conflicts: bool = True, **request: Any
    ) -> Response:
        """Return the response of an operation.

        Every attempt sends the same request: one with a client request token is carried out once. Without
        `retries_conflicts`, a transaction that is in conflict with others is not sent again, unless an earlier attempt
        may have been carried out: then the conflict may be with that one.

        Raises:
            ConditionFailed: A condition of the request failed.
            TransactionConflicted: The transaction is in conflict with others.
            InvalidRequest: DynamoDB finds the request invalid.
            Busy: Other writers are in the way for too long, or too little time remains.
            Unavailable: DynamoDB can't be reached, or takes no requests.
        """
        started_at = self._monotonic_clock()
        attempts = failures = 0
        while True:
            self._ensure_time_remains()
            try:
                response = self._client(operation, request)
            except CallRejected as error:
                failure: Busy = self._retryable_error(error, may_have_succeeded=failures > 0)
                failures += error.status >= _SERVER_ERROR_STATUS
            except OutcomeUnknown as error:
                failures += 1
                failure = Unavailable(f"DynamoDB cannot be reached: {error}.")
                failure.__cause__ = error
                if failures >= _MAX_TRANSPORT_FAILURES:
                    raise failure from error
            except CallNotPossible as error:
                raise Unavailable(f"DynamoDB cannot be called: {error}") from error
            else:
                return response
            if not retries or (isinstance(failure, TransactionConflicted) and not retries_conflicts):
                raise failure
            attempts += 1
            self.back_off(attempts, started_at, failure)

    def back_off(self, attempts: int, started_at: float, error: Busy) -> None:
        """Sleep for a random part of a time that doubles with each attempt; raise the error when time is over."""
        self.sleep(self._random_float() * min(MAX_BACKOFF, FIRST_BACKOFF * 2**attempts), started_at, error)

    def sleep(self, seconds: float, started_at: float, error: Busy) -> None:
        """Sleep; raise the error instead if that exceeds the time for retries since the start, or the caller's time."""
        if self._monotonic_clock() + seconds - started_at > MAX_RETRY_SECONDS:
            raise error
        if self.remaining_seconds is not None and self.remaining_seconds() - seconds < MIN_REMAINING_SECONDS:
            raise error
        self._sleep(seconds)

    def close(self) -> None:
        """Close the connections. Calls after that raise Unavailable."""
        self._is_closed = True
        self._client.close()

    def monotonic(self) -> float:
        """Return the seconds of a clock that only goes forward."""
        return self._monotonic_clock()

    def timestamp_ms(self) -> int:
        """Return the milliseconds since 1970, by the clock that other processes have too."""
        return int(self._wall_clock() * 1000)

    def jitter(self, seconds: float) -> float:
        """Return a random part of that time, so that processes do not all come back at once."""
        return self._random_float() * seconds

    def _ensure_time_remains(self) -> None:
        if self._is_closed:
            raise Unavailable("The store has been closed.")
        if self.remaining_seconds is not None and self.remaining_seconds() < MIN_REMAINING_SECONDS:
            raise Busy("Too little time remains to begin anything.")

    @staticmethod
    def _retryable_error(error: CallRejected, *, may_have_succeeded: bool) -> Busy:
        """Return what to raise if the error persists; raise at once what a retry can't help."""
        code = error.code
        if code == "ConditionalCheckFailedException":
            reasons: list[Response] = [{"Code": CONDITION_FAILED, **error.fields}]
            raise ConditionFailed(reasons, may_have_succeeded=may_have_succeeded) from error
        if code == "TransactionCanceledException":
            reasons = error.fields.get("CancellationReasons", [])
            codes = {reason.get("Code", "None") for reason in reasons}
            if CONDITION_FAILED in codes:
                raise ConditionFailed(reasons, may_have_succeeded=may_have_succeeded) from error
            if codes & _RETRYABLE_REASONS:
                is_clean = codes <= {"None", "TransactionConflict"} and not may_have_succeeded
                return (TransactionConflicted if is_clean else Busy)("Others write to the same items.")
            if "ItemCollectionSizeLimitExceeded" in codes:
                raise Unavailable("This board has grown to the size that DynamoDB allows.") from error
            raise InvalidRequest(code, error.message) from error
        if code in _RETRYABLE_CODES or error.status >= _SERVER_ERROR_STATUS:
            return Busy(f"DynamoDB has too much to do ({code}).")
        if code == "ValidationException":
            raise InvalidRequest(code, error.message) from error
        raise RequestDenied(code) from error
