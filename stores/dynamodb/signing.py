"""Signatures of requests (SigV4), made by the SDK's signer with the SDK's credentials, without the SDK's client."""

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from trimmed_import import import_trimmed


class Credentials(NamedTuple):
    """Credentials as the signer reads them."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Credentials(...)"


CredentialsProvider = Callable[[], Credentials]
"""Returns what the next request is signed with. Raises CallNotPossible if there are no credentials."""


class RequestSigner:
    """Signs requests to DynamoDB at one URL. Threads may share it."""

    def __init__(self, url: str, region: str, find_provider: Callable[[], CredentialsProvider]) -> None:
        """Create a signer; `find_provider` returns what is asked for the credentials of each request."""
        self._url = f"{url}/"
        self._server = urlsplit(url).netloc
        self._region = region
        self._find_provider = find_provider
        self._provider: CredentialsProvider | None = None
        self._signer_class = load_signer()

    def sign(self, headers: dict[str, str], body: bytes) -> None:
        """Add the headers that sign a request. Raises CallNotPossible if there are no credentials."""
        self._provider = provider = self._provider or self._find_provider()
        # The signer would find it out anew each time.
        headers["Host"] = self._server
        signer = self._signer_class(provider(), "dynamodb", self._region)
        signer.add_auth(_UnsignedRequest(self._url, headers, body))

    def forget_credentials(self) -> None:
        """Look for credentials again before the next signature."""
        self._provider = None


class _UnsignedRequest:
    """What the SDK's signer reads and changes of a request."""

    __slots__ = ("body", "context", "headers", "method", "params", "url")

    def __init__(self, url: str, headers: dict[str, str], body: bytes) -> None:
        self.method = "POST"
        self.url = url
        self.headers = headers
        self.params: dict[str, str] = {}
        self.body = body
        self.context: dict[str, Any] = {}


_UNUSED = ("botocore.awsrequest", "botocore.httpsession", "dateutil", "urllib3", "xml.etree")
"""What the signer's module imports for other parts of the SDK, and never uses itself."""

_import_lock = Lock()


@cache
def load_signer() -> Any:
    """Return the SDK's class of signers.

    It is imported without the HTTP client and the parsers that only the SDK's client uses, a tenth of a cold start
    (docs/decisions/0024), and signs a request as a trial. If another version of the SDK needs more, it is imported as
    usual.
    """
    if "botocore.auth" not in sys.modules:
        with suppress(Exception), _import_lock, import_trimmed("botocore", placeholders={name: {} for name in _UNUSED}):
            signer = import_module("botocore.auth").SigV4Auth
            signer(Credentials("", "", None), "", "").add_auth(_UnsignedRequest("https://localhost/", {}, b"{}"))
            return signer
    return import_module("botocore.auth").SigV4Auth
