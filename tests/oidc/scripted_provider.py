"""A provider on loopback that says what a test wants, in any claims and with any lies."""

import json
import socket
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from oidc.fetching import Fetcher
from oidc.provider_client import ProviderClient
from oidc.providers import Provider
from tests.engines.scripted_server import Reaction, ReceivedRequest, ScriptedServer, respond
from tests.oidc.signing import CLIENT_ID, NOW, build_claims, build_key_set, sign

JSON = "Content-Type: application/json\r\n"

WELL_KNOWN = "/.well-known/openid-configuration"


def respond_with_json(value: object, status: str = "200 OK") -> Reaction:
    """Return a reaction that sends a JSON text."""
    return respond(json.dumps(value).encode(), status, JSON)


class ScriptedProvider:
    """A provider whose reactions tests change.

    Attributes:
        issuer: Its issuer.
        reactions: What it does with a request, by the path after the issuer's own.
        metadata: What it says of itself, as long as the reaction of WELL_KNOWN isn't changed.
        claims: What its ID tokens claim besides the usual.
        seconds: The clocks of `build_client`.
        now: What its tokens have as the present, in seconds since 1970.
        takes_codes_again: Whether a code can be used again, which no provider should let happen.
    """

    def __init__(self, server: ScriptedServer, path: str) -> None:
        self._server = server
        self._path = path
        self.seconds = 0.0
        self.now: Callable[[], float] = lambda: NOW + self.seconds
        self.takes_codes_again = False
        self._codes: dict[str, dict[str, str]] = {}
        self.issuer = f"{server.url}{path}"
        base = self.issuer.rstrip("/")
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        self.claims: dict[str, Any] = {}
        self.reactions: dict[str, Reaction] = {
            WELL_KNOWN: self._send_metadata,
            "/authorize": self._send_back,
            "/keys": respond_with_json(build_key_set()),
            "/token": self._send_token,
        }

    def list_requests(self, path: str) -> list[ReceivedRequest]:
        """Return the requests for a path after the issuer's own."""
        full_path = f"{self._path.rstrip('/')}{path}"
        return [request for request in self._server.requests if request.start.split(" ")[1] == full_path]

    def read_form(self, number: int = -1) -> dict[str, str]:
        """Return the form of a request for a token; the last one unless there is a number."""
        body = self.list_requests("/token")[number].body.decode()
        return {name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()}

    def configure(self, **changes: Any) -> Provider:
        """Return a configuration of it, with the id `scripted`."""
        return Provider(
            **{"id": "scripted", "name": "Scripted", "issuer": self.issuer, "client_id": CLIENT_ID, **changes}
        )

    def write_setting(self, **changes: Any) -> str:
        """Return the setting OIDC_PROVIDERS with a configuration of it."""
        base = {"id": "scripted", "name": "Scripted", "issuer": self.issuer, "client_id": CLIENT_ID}
        return json.dumps([base | changes])

    def build_client(self, *, fetcher: Fetcher | None = None, **changes: Any) -> ProviderClient:
        """Return a client of it, whose clocks show `seconds`."""
        return ProviderClient(
            self.configure(**changes),
            unix_time=lambda: self.now(),  # noqa: PLW0108 - a test may replace it.
            monotonic=lambda: self.seconds,
            fetcher=fetcher,
        )

    def sign_id_token(self, **changes: Any) -> str:
        """Return an ID token of it."""
        now = int(self.now())
        return sign(build_claims(**{"iss": self.issuer, "iat": now, "exp": now + 300, **self.claims, **changes}))

    def react(self, request: ReceivedRequest, connection: socket.socket) -> bool:
        """Do what the reaction of the path does."""
        path = request.start.split(" ")[1].partition("?")[0]
        reaction = self.reactions.get(path.removeprefix(self._path.rstrip("/")), respond(b"", "404 Not Found"))
        return reaction(request, connection)

    def _send_metadata(self, request: ReceivedRequest, connection: socket.socket) -> bool:
        return respond_with_json(self.metadata)(request, connection)

    def _send_back(self, request: ReceivedRequest, connection: socket.socket) -> bool:
        """Send the browser back with a code, as if its user had signed in."""
        asked = dict(parse_qsl(urlsplit(request.start.split(" ")[1]).query))
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        location = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        return respond(b"", "302 Found", f"Location: {location}\r\n")(request, connection)

    def _send_token(self, request: ReceivedRequest, connection: socket.socket) -> bool:
        form = {name: value for name, (value,) in parse_qs(request.body.decode(), strict_parsing=True).items()}
        claims = {}
        if form["code"].startswith("code-"):
            # One that it has given: it can be used once, and by whoever has the verifier.
            asked = self._codes.get(form["code"], {})
            if not self.takes_codes_again:
                self._codes.pop(form["code"], None)
            challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
            if (asked.get("code_challenge"), asked.get("redirect_uri")) != (challenge, form["redirect_uri"]):
                return respond_with_json({"error": "invalid_grant"}, "400 Bad Request")(request, connection)
            claims = {"nonce": asked["nonce"]}
        answer = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign_id_token(**claims)}
        return respond_with_json(answer)(request, connection)


@contextmanager
def run_scripted_provider(path: str = "") -> Iterator[ScriptedProvider]:
    """Run a provider whose issuer has this path."""
    providers: list[ScriptedProvider] = []

    def react(request: ReceivedRequest, connection: socket.socket) -> bool:
        return providers[0].react(request, connection)

    with ScriptedServer(react).run() as server:
        providers.append(ScriptedProvider(server, path))
        yield providers[0]


def sign_in_at(authorization_url: str) -> dict[str, str]:
    """Open the address of a scripted provider; return the parameters with which it sends the browser back."""
    parts = urlsplit(authorization_url)
    assert parts.hostname
    connection = HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    location = connection.getresponse().getheader("Location") or ""
    connection.close()
    return dict(parse_qsl(urlsplit(location).query))
