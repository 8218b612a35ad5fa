"""Call a provider by HTTP: bounded in time and size, without redirects, and by https unless it is on this machine."""

from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

from delivery.addresses import AddressForbidden, AddressPolicy
from delivery.sender import CallFailed, Sender, WholeResponse
from delivery.targets import InvalidTarget
from oidc.errors import ProviderUnreachable
from oidc.json_objects import parse_object
from oidc.providers import is_permitted_url

CALL_SECONDS = 5.0
"""How long a call of a provider may take."""

MAX_RESPONSE_BYTES = 256 * 1024
"""The longest response of a provider. The largest sets of keys have some 10 KB."""

_EVERYWHERE = AddressPolicy((ip_network("0.0.0.0/0"), ip_network("::/0")))
"""The operator has chosen the provider, which may be in the operator's own network."""
_LOOPBACK = AddressPolicy(permits_loopback=True)


class Fetcher:
    """Calls one provider. Threads may share it."""

    def __init__(self, *, on_loopback: bool, sender: Sender | None = None) -> None:
        """Take whether the provider is on this machine and may be called by http."""
        self._on_loopback = on_loopback
        self._sender = sender or Sender(_LOOPBACK if on_loopback else _EVERYWHERE, seconds=CALL_SECONDS)

    def get_object(self, url: str, title: str) -> dict[str, Any]:
        """Return the JSON object at a URL; `title` names it in sentences. Raises ProviderUnreachable."""
        response = self._request("GET", url, title, {}, None)
        if response.status != HTTPStatus.OK:
            hint = ", and redirects are not followed" if response.status // 100 == 3 else ""  # noqa: PLR2004 - the class.
            raise ProviderUnreachable(f"{title} can't be fetched: the status is {response.status}{hint}.")
        return _parse(response, title)

    def post_form(
        self, url: str, title: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Post a form; return the status and the JSON object, which may be an error. Raises ProviderUnreachable."""
        form_headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        response = self._request("POST", url, title, form_headers, urlencode(form).encode())
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise ProviderUnreachable(f"{title} gives no answer: the status is {response.status}.")
        return response.status, _parse(response, title)

    def _request(
        self, method: str, url: str, title: str, headers: Mapping[str, str], body: bytes | None
    ) -> WholeResponse:
        if not is_permitted_url(url, on_loopback=self._on_loopback):
            raise ProviderUnreachable(f"{title} has a URL that is not https.")
        all_headers = {"Accept": "application/json", "User-Agent": "Tackboard", **headers}
        try:
            return self._sender.request(method, url, all_headers, body, max_response_bytes=MAX_RESPONSE_BYTES)
        except (InvalidTarget, AddressForbidden, CallFailed) as error:
            raise ProviderUnreachable(f"{title} can't be reached: {_lower(str(error))}") from error


def _parse(response: WholeResponse, title: str) -> dict[str, Any]:
    if response.media_type != "application/json" and not response.media_type.endswith("+json"):
        raise ProviderUnreachable(f"{title} is not JSON: its media type is another one.")
    try:
        return parse_object(response.body)
    except ValueError:
        raise ProviderUnreachable(f"{title} is not a JSON object of one meaning.") from None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
