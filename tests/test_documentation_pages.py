"""The documentation, without a browser."""

import gzip
import re
from urllib.parse import urljoin

import pytest

from app.document import DOCUMENT_PATH
from contract.documentation_site import DocumentationSite
from contract.edge import Edge
from contract.messages import Response

DOCS = DocumentationSite(
    lambda: b'{"openapi": "3.0.3"}',
    lambda: b"openapi: 3.0.3\n",
    fallback=lambda _: Response(418, (), b"elsewhere"),
)


DOCUMENTED = DocumentationSite(
    DOCUMENT_PATH.read_bytes, lambda: b"", fallback=lambda _: Response(418, (), b"elsewhere")
)
"""The same with our own document, which has a page for each problem."""


def _request(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    edge = Edge(DOCS, new_request_id=lambda: "made-here")
    response = edge.answer(method, path, "", sent, lambda _: b"")
    return response.status, dict(response.headers), response.body


ASSETS = re.search(r'"(assets/[0-9a-f]{16}/)boot\.js"', DOCS.list_files()["/docs/"].body.decode())[1]  # type: ignore[index]
"""The folder of scripts and style sheets, as the page says."""


@pytest.mark.parametrize(
    ("path", "content_type", "beginning"),
    [
        ("/docs/", "text/html; charset=utf-8", b"<!doctype html>"),
        (f"/docs/{ASSETS}boot.js", "text/javascript; charset=utf-8", b'"use strict";'),
        (f"/docs/{ASSETS}page.css", "text/css; charset=utf-8", b"body {"),
        (f"/docs/{ASSETS}swagger-ui-bundle.js", "text/javascript; charset=utf-8", b"/*! For license information"),
        (f"/docs/{ASSETS}swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("/docs/favicon-32x32.png", "image/png", b"\x89PNG"),
        ("/openapi.json", "application/json", b'{"openapi": "3.0.3"}'),
        ("/openapi.yaml", "application/yaml", b"openapi: 3.0.3"),
    ],
)
def test_every_file_is_served_here_with_a_strict_policy(path: str, content_type: str, beginning: bytes) -> None:
    status, headers, body = _request(path)

    assert status == 200
    assert headers["content-type"] == content_type
    assert headers["content-length"] == str(len(body))
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert body.startswith(beginning)


def test_redoc_may_use_inline_styles_and_nothing_else() -> None:
    policy = _request("/docs/read")[1]["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "style-src 'self' 'unsafe-inline';" in policy
    assert policy.count("unsafe") == 1


def test_redoc_loads_nothing_from_its_maker() -> None:
    _, headers, body = _request(f"/docs/{ASSETS}redoc.standalone.js")

    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert b"https://cdn." not in body


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_root_redirects_to_the_documentation(path: str) -> None:
    status, headers, _ = _request(path)

    assert (status, headers["location"]) == (302, "/docs/")


@pytest.mark.parametrize("accepted", ["gzip", ""])
def test_a_script_is_kept_for_good_and_a_page_is_asked_for_each_time(accepted: str) -> None:
    script, page, document = (
        _request(path, accept_encoding=accepted)[1]["cache-control"] for path in (LARGE_FILE, "/docs/", "/openapi.json")
    )

    assert (script, page, document) == ("public, max-age=31536000, immutable", "no-cache", "no-cache")


def test_every_page_refers_to_scripts_and_style_sheets_that_exist() -> None:
    files = DOCS.list_files() | DOCUMENTED.list_files()
    pages = {path: file.body.decode() for path, file in files.items() if file.content_type.startswith("text/html")}
    references = {
        urljoin(path, reference)
        for path, body in pages.items()
        for reference in re.findall(r'(?:src|href)="([^"#:]+)"', body)
    }

    assert any(path.startswith("/problems/") for path in pages)
    assert references <= files.keys()
    assert {path for path in files if path.endswith((".js", ".css"))} <= references


def test_a_cached_file_is_not_sent_again() -> None:
    tag = _request("/docs/")[1]["etag"]

    status, headers, body = _request("/docs/", if_none_match=f'"other", {tag}')

    assert (status, headers["etag"], body) == (304, tag, b"")
    assert "content-length" not in headers


def test_an_invalid_entity_tag_gets_the_file() -> None:
    assert _request("/docs/", if_none_match="nonsense")[0] == 200


LARGE_FILE = f"/docs/{ASSETS}swagger-ui.css"


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5"])
def test_a_large_file_is_compressed_if_the_client_accepts_it(accepted: str) -> None:
    _, plain_headers, plain = _request(LARGE_FILE)

    status, headers, body = _request(LARGE_FILE, accept_encoding=accepted)

    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
    assert headers["content-length"] == str(len(body))
    assert len(body) < len(plain) / 2
    assert gzip.decompress(body) == plain
    assert headers["etag"] != plain_headers["etag"]
    assert _request(LARGE_FILE, accept_encoding=accepted, if_none_match=headers["etag"])[0] == 304
    assert _request(LARGE_FILE, accept_encoding=accepted, if_none_match=plain_headers["etag"])[0] == 200


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip-like"])
def test_no_client_gets_an_encoding_that_it_does_not_accept(accepted: str) -> None:
    _, headers, body = _request(LARGE_FILE, accept_encoding=accepted)

    assert "content-encoding" not in headers
    assert headers["vary"] == "Accept-Encoding"
    assert body == _request(LARGE_FILE)[2]


@pytest.mark.parametrize("path", ["/docs/favicon-32x32.png", "/openapi.json"])
def test_a_file_that_gzip_does_not_shrink_is_sent_uncompressed(path: str) -> None:
    assert "content-encoding" not in _request(path, accept_encoding="gzip")[1]


def test_head_has_the_length_and_no_body() -> None:
    _, get_headers, body = _request("/openapi.json")

    status, headers, empty_body = _request("/openapi.json", "HEAD")

    assert (status, headers, empty_body) == (200, get_headers, b"")
    assert headers["content-length"] == str(len(body))


def test_files_can_only_be_read() -> None:
    status, headers, body = _request("/docs/", "POST")

    assert (status, headers["allow"], headers["content-type"]) == (405, "GET, HEAD", "application/problem+json")
    assert b'"method_not_allowed"' in body


@pytest.mark.parametrize(
    "path",
    [
        "/v1/health",
        "/docs/index.html",
        "/docs/../docs.py",
        "/docs//boot.js",
        "/docs/boot.js",
        f"/docs/{ASSETS}boot.js/",
        f"/docs/{ASSETS}",
        "/docs/swagger-ui.js",
        "",
    ],
)
def test_every_other_path_is_passed_on(path: str) -> None:
    assert _request(path)[2] == b"elsewhere"
