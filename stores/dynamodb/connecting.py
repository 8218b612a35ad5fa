"""Choose a client: our own in an environment like that of a Lambda function, the SDK's in any other."""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from stores.dynamodb.calls import Client
from stores.dynamodb.connections import ConnectionPool
from stores.dynamodb.http_client import HttpClient
from stores.dynamodb.signing import Credentials, CredentialsProvider, RequestSigner

log = logging.getLogger(__name__)

KNOWN_VARIABLES = frozenset(
    (
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
    )
)
"""The variables of AWS that Lambda sets, or that are read here. What any other one asks for is left to the SDK."""

_KNOWN_PREFIXES = ("AWS_LAMBDA_", "AWS_XRAY_")

REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]+")
"""The regions whose address is known here. Those of China and of governments have others."""

_FILES_OF_SDK = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""The files of the SDK's configuration, by the variables that name others."""

_LOCAL_CREDENTIALS = Credentials("local", "local", None)
"""What a local server is called with. It ignores credentials, but there must be some."""


def connect(region: str, endpoint: str | None) -> Client:
    """Return a client of DynamoDB in that region, or at that address.

    Raises:
        ValueError: The endpoint is no address.
        OSError: The file with trusted certificates can't be used.
        CallNotPossible: The configuration of the SDK can't be used.
    """
    needs_credentials = endpoint is None or "AWS_ACCESS_KEY_ID" in os.environ
    reason = next(_find_reasons_for_sdk(os.environ, region, endpoint, needs_credentials=needs_credentials), None)
    if reason:
        from stores.dynamodb.sdk_client import SdkClient, create_sdk_client  # noqa: PLC0415  (most starts don't need it)

        log.info("DynamoDB is called through the AWS SDK, because of %s.", reason)
        return SdkClient(create_sdk_client(region, endpoint, None if needs_credentials else _LOCAL_CREDENTIALS))
    url = find_url(region, endpoint)
    load = load_credentials if needs_credentials else lambda: lambda: _LOCAL_CREDENTIALS
    return HttpClient(ConnectionPool(url, find_ca_bundle()), RequestSigner(url, region, load))


def find_url(region: str, endpoint: str | None) -> str:
    """Return the address of DynamoDB, without a slash at its end."""
    return endpoint.rstrip("/") if endpoint else f"https://dynamodb.{region}.amazonaws.com"


def find_ca_bundle() -> str:
    """Return the path of the certificates that are trusted: what the environment names, else the SDK's own."""
    named = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return named or str(_sdk_folder() / "cacert.pem")


def load_credentials() -> CredentialsProvider:
    """Return what is asked for the credentials of each request: variables, or an address that the SDK asks."""
    environment = os.environ
    if "AWS_ACCESS_KEY_ID" in environment:
        token = environment.get("AWS_SECURITY_TOKEN") or environment.get("AWS_SESSION_TOKEN") or None
        credentials = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], token)
        return lambda: credentials
    from stores.dynamodb.sdk_client import find_sdk_credentials  # noqa: PLC0415  (only SnapStart needs it)

    return find_sdk_credentials()


def _find_reasons_for_sdk(
    environment: Mapping[str, str], region: str, endpoint: str | None, *, needs_credentials: bool
) -> Iterator[str]:
    """Yield what only the SDK knows how to do, as a part of a sentence."""
    for name in sorted(environment):
        if name.startswith("AWS_") and name not in KNOWN_VARIABLES and not name.startswith(_KNOWN_PREFIXES):
            yield name
    for variable, default in _FILES_OF_SDK.items():
        path = environment.get(variable, default)
        if Path(path).expanduser().is_file():
            yield path
    if needs_credentials and not _has_credentials(environment):
        yield "the credentials, which are in none of the variables that Lambda sets"
    if endpoint is None and not REGION.fullmatch(region):
        yield f"the region {region}"
    if endpoint is not None and not _is_plain_url(endpoint):
        yield "the endpoint in STORE_URL"
    elif _has_proxy(environment, find_url(region, endpoint)):
        yield "a proxy"


def _has_credentials(environment: Mapping[str, str]) -> bool:
    if "AWS_ACCESS_KEY_ID" in environment:
        return bool(environment["AWS_ACCESS_KEY_ID"] and environment.get("AWS_SECRET_ACCESS_KEY"))
    return "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environment


def _is_plain_url(endpoint: str) -> bool:
    """Tell whether an endpoint is no more than a scheme and a server. Raises ValueError for one that is no URL."""
    parts = urlsplit(endpoint)
    is_server_only = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_server_only and parts.port != 0


def _has_proxy(environment: Mapping[str, str], url: str) -> bool:
    has_system_settings = sys.platform in {"darwin", "win32"}
    if not has_system_settings and not any(name.lower().endswith("_proxy") for name in environment):
        return False
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  (most starts don't need it)

    parts = urlsplit(url)
    return parts.scheme in getproxies() and not proxy_bypass(parts.netloc)


def _sdk_folder() -> Path:
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The AWS SDK is not installed.", name="botocore")
    return Path(spec.origin).parent
