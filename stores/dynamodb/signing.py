"""Signatures of requests (SigV4), made by the SDK's signer with the SDK's credentials, without the SDK's client."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit


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


_SDK = "botocore"

_STAND_INS = (
    "botocore.awsrequest",
    "botocore.httpsession",
    "dateutil",
    "dateutil.parser",
    "dateutil.tz",
    "urllib3",
    "urllib3.exceptions",
    "xml.etree",
    "xml.etree.ElementTree",
)
"""What the signer's module imports for other parts of the SDK, and never uses itself."""

_import_lock = Lock()


@cache
def load_signer() -> Any:
    """Return the SDK's class of signers.

    It is imported as a copy of its own, with stand-ins for the HTTP client and the parsers that only the SDK's client
    uses. They would take a tenth of a cold start (docs/decisions/0022). No other importer sees the copy or a stand-in.
    Should another version of the SDK need more, the signer is imported as usual.
    """
    if "botocore.auth" not in sys.modules:
        # Whatever goes wrong here can only be a stand-in's fault, and is only a matter of speed.
        with suppress(Exception), _import_lock, _stand_ins():
            signer = import_module("botocore.auth").SigV4Auth
            signer(Credentials("", "", None), "", "").add_auth(_UnsignedRequest("https://localhost/", {}, b"{}"))
            return signer
    return import_module("botocore.auth").SigV4Auth


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Return a context in which the SDK is imported anew, with stand-ins. Afterwards, it is as if nothing had been."""
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if _is_of_sdk(name)}
    stand_ins = {name: _StandIn(name) for name in _STAND_INS if name not in sys.modules}
    for name, stand_in in stand_ins.items():
        parent, _, attribute = name.rpartition(".")
        if parent in stand_ins:
            setattr(stand_ins[parent], attribute, stand_in)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in [*sys.modules]:
            if _is_of_sdk(name) or name in stand_ins:
                del sys.modules[name]
        sys.modules.update(before)


def _is_of_sdk(module_name: str) -> bool:
    return module_name.partition(".")[0] == _SDK


class _StandIn(ModuleType):
    """A module in which every name is an exception that nobody raises."""

    def __getattr__(self, name: str) -> type[Exception]:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {})
