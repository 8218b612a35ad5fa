"""Calls to DynamoDB: a lean client, patience with what passes, and the port's errors for what doesn't."""

import random
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import orjson
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import JSONParser, ResponseParser, ResponseParserError, ResponseParserFactory
from botocore.session import Session

from kanban.store import Busy, StoreError, Unavailable

Answer = dict[str, Any]

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0

PATIENCE = 5.0
"""How many seconds a call is tried again while others are in the way."""

RESERVE = 2.5
"""How many seconds must remain for the answer: with less, nothing is begun any more."""

_MOST_TRANSPORT_FAILURES = 3
_FIRST_PAUSE = 0.025
_LONGEST_PAUSE = 0.8
_SERVER_FAULT = 500

CONDITION_FAILED = "ConditionalCheckFailed"

_PASSING = frozenset(
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
_PASSING_REASONS = frozenset(
    (
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    )
)
_LOST = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    ResponseParserError,
)
"""Nobody knows whether the call was carried out."""


class Cancelled(Exception):
    """A write or a transaction was refused by a condition; `reasons` has one reason for each of its parts.

    `uncertain` tells that an earlier try may have gone through: then the condition may have failed because of it.
    """

    def __init__(self, reasons: list[Answer], *, uncertain: bool) -> None:
        super().__init__("A condition failed.")
        self.reasons = reasons
        self.uncertain = uncertain


class Rejected(StoreError):
    """DynamoDB understands the call but finds it wrong; `code` says how."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Refusal(Unavailable):
    """DynamoDB doesn't take calls: no such table, no permission, no valid credentials; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(f"DynamoDB refuses calls: {code}.")
        self.code = code


class Calls:
    """Calls the operations of a client by name, again when it was in vain, for as long as there is time.

    `remaining` tells how many seconds the caller has left, None when there is no end.
    """

    def __init__(
        self,
        client: Any,
        *,
        remaining: Callable[[], float] | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.client = client
        self.remaining = remaining
        self._pause = pause
        self._clock = clock
        self._wall_clock = wall_clock
        self._chance = chance
        self._closed = False

    def __call__(self, operation: str, *, patient: bool = True, **request: Any) -> Answer:
        """The answer. Raises Cancelled, Rejected, Busy, Unavailable.

        The same request is sent each time: one that carries a client request token is carried out once.
        """
        call = getattr(self.client, operation)
        began = self._clock()
        tries = failures = 0
        while True:
            self._check_time()
            try:
                answer: Answer = call(**request)
            except ClientError as error:
                trouble: Busy = self._judged(error, uncertain=failures > 0)
                failures += error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= _SERVER_FAULT
            except _LOST as error:
                failures += 1
                trouble = Unavailable(f"DynamoDB cannot be reached: {type(error).__name__}.")
                trouble.__cause__ = error
                if failures >= _MOST_TRANSPORT_FAILURES:
                    raise trouble from error
            except BotoCoreError as error:
                raise Unavailable(f"DynamoDB cannot be called: {error}") from error
            else:
                return answer
            tries += 1
            self.wait(tries, began, trouble, patient=patient)

    def wait(self, tries: int, began: float, trouble: Busy, *, patient: bool = True) -> None:
        """Pause for a chance part of a time that doubles with each try; raise the trouble when time is over."""
        pause = self._chance() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries)
        if not patient:
            raise trouble
        self.sleep(pause, began, trouble)

    def sleep(self, seconds: float, began: float, trouble: Busy) -> None:
        """Pause for that time; raise the trouble instead if that takes longer than the patience of this work."""
        if self._clock() + seconds - began > PATIENCE:
            raise trouble
        if self.remaining is not None and self.remaining() - seconds < RESERVE:
            raise trouble
        self._pause(seconds)

    def close(self) -> None:
        """Close the connections. Calls after that raise Unavailable."""
        self._closed = True
        self.client.close()

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""
        return self._clock()

    def timestamp(self) -> int:
        """Milliseconds of the clock that other processes have too, since 1970."""
        return int(self._wall_clock() * 1000)

    def jitter(self, seconds: float) -> float:
        """Return a chance part of that time, so that processes do not all come back at once."""
        return self._chance() * seconds

    def _check_time(self) -> None:
        if self._closed:
            raise Unavailable("The store has been closed.")
        if self.remaining is not None and self.remaining() < RESERVE:
            raise Busy("Too little time remains to begin anything.")

    @staticmethod
    def _judged(error: ClientError, *, uncertain: bool) -> Busy:
        """What to raise if it isn't better the next time; or raise it at once, if it can't be."""
        code = error.response["Error"].get("Code", "")
        message = error.response["Error"].get("Message", "")
        if code == "ConditionalCheckFailedException":
            raise Cancelled([{"Code": CONDITION_FAILED, **error.response}], uncertain=uncertain) from error
        if code == "TransactionCanceledException":
            reasons: list[Answer] = error.response.get("CancellationReasons", [])
            codes = {reason.get("Code", "None") for reason in reasons}
            if CONDITION_FAILED in codes:
                raise Cancelled(reasons, uncertain=uncertain) from error
            if codes & _PASSING_REASONS:
                return Busy("Others write to the same things.")
            if "ItemCollectionSizeLimitExceeded" in codes:
                raise Unavailable("This board has grown to the size that DynamoDB allows.") from error
            raise Rejected(code, message) from error
        if code in _PASSING or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= _SERVER_FAULT:
            return Busy(f"DynamoDB has too much to do ({code}).")
        if code == "ValidationException":
            raise Rejected(code, message) from error
        raise Refusal(code) from error


def connect(region: str, endpoint: str | None, **credentials: str) -> Any:
    """A client of DynamoDB. Threads may share it."""
    with _opening:
        return _session().create_client(
            "dynamodb",
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                # Calls tries again, and looks at the clock before it does; the SDK would not.
                retries={"mode": "standard", "total_max_attempts": 1},
                tcp_keepalive=True,
                max_pool_connections=32,
                # What a call is made of is ours, and DynamoDB checks it too: once is enough.
                parameter_validation=False,
                # The SDK writes its own anew for each call, which takes longer than signing it.
                user_agent="tackboard",
            ),
            **credentials,
        )


_opening = Lock()


@cache
def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _OnlyDynamo())
    session.register_component("response_parser_factory", _Parsers())
    return session


class _OnlyDynamo(Loader):  # type: ignore[misc]  # botocore is untyped
    """The SDK's descriptions of services, without looking for all four hundred of them."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  (each kind of description has it)
        return ["dynamodb"]


class _Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore is untyped
    """The SDK's parsers, but for the answers of DynamoDB."""

    def create_parser(self, protocol_name: str) -> ResponseParser:
        return _AnswerParser() if protocol_name == "json" else super().create_parser(protocol_name)


class _AnswerParser(JSONParser):  # type: ignore[misc]  # botocore is untyped
    """Takes an answer as it is: its JSON has the very shape that the SDK would make, but for binary values.

    The SDK walks through every attribute of every item for that, which takes longer than all the rest of a call.
    """

    def parse(self, response: Answer, shape: Any) -> Answer:
        if response["status_code"] >= 300:  # noqa: PLR2004  (everything from here on is an error, and is rare)
            failure: Answer = super().parse(response, shape)
            return failure
        try:
            answer: Answer = orjson.loads(response["body"])
        except orjson.JSONDecodeError as error:
            raise ResponseParserError("The answer is no JSON.") from error
        answer["ResponseMetadata"] = {"HTTPStatusCode": response["status_code"], "HTTPHeaders": response["headers"]}
        return answer
