"""The SDK's client, for every environment that it knows: profiles, single sign-on, roles, other endpoints, proxies."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import orjson
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import JSONParser, ResponseParser, ResponseParserError, ResponseParserFactory
from botocore.session import Session

from stores.dynamodb.calls import (
    CONNECT_SECONDS,
    MAX_IDLE_CONNECTIONS,
    READ_SECONDS,
    USER_AGENT,
    CallNotPossible,
    CallRejected,
    Listener,
    OutcomeUnknown,
    Request,
    Response,
)
from stores.dynamodb.signing import Credentials, CredentialsProvider

_OUTCOME_UNKNOWN = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    ResponseParserError,
)


class SdkClient:
    """A `calls.Client` that calls DynamoDB through botocore."""

    def __init__(self, sdk_client: Any) -> None:
        """Create a client from one that `create_sdk_client` has returned."""
        self._sdk_client = sdk_client
        self._listeners: list[Listener] = []

    def __call__(self, operation: str, request: Request) -> Response:
        for listener in self._listeners:
            listener(operation, request)
        try:
            response: Response = getattr(self._sdk_client, operation)(**request)
        except ClientError as error:
            raise _call_rejected(error) from error
        except _OUTCOME_UNKNOWN as error:
            raise OutcomeUnknown(type(error).__name__) from error
        except BotoCoreError as error:
            raise CallNotPossible(str(error)) from error
        return response

    def add_listener(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def close(self) -> None:
        self._sdk_client.close()


def create_sdk_client(region: str, endpoint: str | None, credentials: Credentials | None = None) -> Any:
    """Return a client of the SDK that calls each operation once; without credentials, it looks for them itself.

    Raises:
        ValueError: The endpoint is no URL.
        CallNotPossible: The configuration of the SDK can't be used.
    """
    session = Session()
    session.register_component("data_loader", _loader())
    session.register_component("response_parser_factory", _ParserFactory())
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        # RetryingClient retries, and looks at the deadline before it does; the SDK would not.
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        max_pool_connections=MAX_IDLE_CONNECTIONS,
        # All requests are made by this package, and DynamoDB validates them too: once is enough.
        parameter_validation=False,
        # The SDK builds its own for each call, which takes longer than signing it.
        user_agent=USER_AGENT,
    )
    with _explaining_sdk_errors():
        return session.create_client(
            "dynamodb",
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=credentials and credentials.access_key,
            aws_secret_access_key=credentials and credentials.secret_key,
            aws_session_token=credentials and credentials.token,
        )


def find_sdk_credentials() -> CredentialsProvider:
    """Look for credentials wherever the SDK does; return what renews them in time. Raises CallNotPossible."""
    with _explaining_sdk_errors():
        credentials = Session().get_credentials()
    if credentials is None:
        raise CallNotPossible("Unable to locate credentials")

    def provide() -> Credentials:
        with _explaining_sdk_errors():
            return Credentials(*credentials.get_frozen_credentials()[:3])

    return provide


@contextmanager
def _explaining_sdk_errors() -> Iterator[None]:
    try:
        yield
    except BotoCoreError as error:
        raise CallNotPossible(str(error)) from error


@cache
def _loader() -> Loader:
    return _DynamoDescriptionsLoader()


def _call_rejected(error: ClientError) -> CallRejected:
    fields: Response = {**error.response}
    description, metadata = fields.pop("Error"), fields.pop("ResponseMetadata")
    return CallRejected(
        metadata.get("HTTPStatusCode", 0), description.get("Code", ""), description.get("Message", ""), fields
    )


class _DynamoDescriptionsLoader(Loader):  # type: ignore[misc]  # botocore is untyped
    """Loads the SDK's service descriptions without listing all four hundred of them."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  (each kind of description has it)
        return ["dynamodb"]


class _ParserFactory(ResponseParserFactory):  # type: ignore[misc]  # botocore is untyped
    """Creates the SDK's parsers, but a fast one for DynamoDB."""

    def create_parser(self, protocol_name: str) -> ResponseParser:
        return _JsonResponseParser() if protocol_name == "json" else super().create_parser(protocol_name)


class _JsonResponseParser(JSONParser):  # type: ignore[misc]  # botocore is untyped
    """Takes a response as it is: its JSON has the very shape that the SDK would make, except for binary values.

    The SDK walks through every attribute of every item for that, which takes longer than all the rest of a call.
    """

    def parse(self, response: Response, shape: Any) -> Response:
        if response["status_code"] >= 300:  # noqa: PLR2004  (everything from here on is an error, and is rare)
            failure: Response = super().parse(response, shape)
            return failure
        try:
            body: Response = orjson.loads(response["body"])
        except orjson.JSONDecodeError as error:
            raise ResponseParserError("The response is not JSON.") from error
        body["ResponseMetadata"] = {"HTTPStatusCode": response["status_code"], "HTTPHeaders": response["headers"]}
        return body

    def _handle_blob(self, shape: Any, value: str) -> str:  # noqa: ARG002  (the SDK passes it)
        # Errors hold items too. They look as they do in other responses.
        return value
