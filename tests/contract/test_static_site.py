"""The files of the web page at /, and the fallback for other paths."""

from pathlib import Path

import pytest

from contract.bridge import Message, WsgiBridge
from contract.static_site import CONTENT_SECURITY_POLICY, StaticSite
from tests.contract.client import call, environ


async def _respond_from_fallback(_: Message, __: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]  # ASGI's send.
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]  # as above.


@pytest.fixture
def site(tmp_path: Path) -> WsgiBridge:
    for name in ("index.html", "app.js", "contract.d.ts", "tsconfig.json"):
        (tmp_path / name).write_text(f"This is {name}.")
    return WsgiBridge(StaticSite(tmp_path, fallback=_respond_from_fallback))


@pytest.mark.parametrize(
    ("path", "name", "content_type"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/app.js", "app.js", "text/javascript; charset=utf-8"),
    ],
)
def test_a_file_is_served_with_a_strict_policy(site: WsgiBridge, path: str, name: str, content_type: str) -> None:
    response = call(site, environ("GET", path))

    assert (response.status, response.body) == (200, f"This is {name}.".encode())
    assert response.header("content-type") == content_type
    assert response.header("content-security-policy") == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_a_file_that_the_browser_has_is_a_304(site: WsgiBridge) -> None:
    tag = call(site, environ("GET", "/")).header("etag")

    assert call(site, environ("GET", "/", headers={"If-None-Match": tag or ""})).status == 304


@pytest.mark.parametrize("path", ["/contract.d.ts", "/tsconfig.json", "/../app/factory.py", "/v1/boards", "/nothing"])
def test_every_other_path_goes_to_the_fallback(site: WsgiBridge, path: str) -> None:
    assert call(site, environ("GET", path)).status == 204


def test_a_file_allows_only_get_and_head(site: WsgiBridge) -> None:
    response = call(site, environ("POST", "/"))

    assert (response.status, response.header("allow")) == (405, "GET, HEAD")


def test_without_the_folder_every_path_goes_to_the_fallback(tmp_path: Path) -> None:
    assert (
        call(WsgiBridge(StaticSite(tmp_path / "none", fallback=_respond_from_fallback)), environ("GET", "/")).status
        == 204
    )
