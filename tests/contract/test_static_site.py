"""The files of the web page at /, and the fallback for other paths."""

import re
from pathlib import Path

import pytest

from contract.edge import Edge
from contract.messages import Response
from contract.static_site import CONTENT_SECURITY_POLICY, StaticSite
from contract.wsgi_application import WsgiApplication
from tests.contract.client import call, environ


def serve_site(folder: Path) -> WsgiApplication:
    """Serve a folder. The fallback answers with a 204."""
    site = StaticSite(folder, fallback=lambda _: Response(204, (), b""))
    return WsgiApplication(Edge(site, new_request_id=lambda: "made-here"))


@pytest.fixture
def site(tmp_path: Path) -> WsgiApplication:
    for name in ("app.js", "icon.svg", "contract.d.ts", "tsconfig.json"):
        (tmp_path / name).write_text(f"This is {name}.")
    (tmp_path / "index.html").write_text('This is index.html. <script src="app.js"></script><img src="icon.svg">')
    return serve_site(tmp_path)


def find_script(site: WsgiApplication) -> str:
    """Return the path of the script to which the page refers."""
    match = re.search(rb'src="(assets/[0-9a-f]{16}/app\.js)"', call(site, environ("GET", "/")).body)
    assert match
    return f"/{match[1].decode()}"


@pytest.mark.parametrize(
    ("path", "name", "content_type"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        (None, "app.js", "text/javascript; charset=utf-8"),
    ],
)
def test_a_file_is_served_with_a_strict_policy(
    site: WsgiApplication, path: str | None, name: str, content_type: str
) -> None:
    response = call(site, environ("GET", path or find_script(site)))

    assert response.status == 200
    assert response.body.startswith(f"This is {name}.".encode())
    assert response.header("content-type") == content_type
    assert response.header("content-security-policy") == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_a_script_is_kept_for_good_until_any_script_changes(site: WsgiApplication, tmp_path: Path) -> None:
    path = find_script(site)
    (tmp_path / "other.js").write_text("export const one = 1;")
    changed_site = serve_site(tmp_path)

    assert call(site, environ("GET", path)).header("cache-control") == "public, max-age=31536000, immutable"
    assert [call(site, environ("GET", path)).header("cache-control") for path in ("/", "/icon.svg")] == ["no-cache"] * 2
    assert find_script(changed_site) != path
    assert call(changed_site, environ("GET", path)).status == 204


def test_a_file_that_the_browser_has_is_a_304(site: WsgiApplication) -> None:
    tag = call(site, environ("GET", "/")).header("etag")

    assert call(site, environ("GET", "/", headers={"If-None-Match": tag or ""})).status == 304


@pytest.mark.parametrize(
    "path", ["/app.js", "/contract.d.ts", "/tsconfig.json", "/../app/factory.py", "/v1/boards", "/nothing"]
)
def test_every_other_path_goes_to_the_fallback(site: WsgiApplication, path: str) -> None:
    assert call(site, environ("GET", path)).status == 204


def test_a_file_allows_only_get_and_head(site: WsgiApplication) -> None:
    response = call(site, environ("POST", "/"))

    assert (response.status, response.header("allow")) == (405, "GET, HEAD")


def test_without_the_folder_every_path_goes_to_the_fallback(tmp_path: Path) -> None:
    assert call(serve_site(tmp_path / "none"), environ("GET", "/")).status == 204
