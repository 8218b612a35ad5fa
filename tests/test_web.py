"""What the files of the page guarantee: small, no HTML from texts, all texts in one place."""

import gzip
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[1] / "web"
SCRIPTS = sorted(path for path in WEB.glob("*.js") if path.name != "texts.js")
MAX_BYTES = 150 * 1024

# Ways to create HTML or code from a text.
UNSAFE_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    r"|DOMParser|srcdoc|createContextualFragment"
)


def test_the_page_is_small_enough_for_a_slow_connection() -> None:
    files = [path for path in WEB.glob("*") if path.suffix in {".js", ".css", ".html", ".svg"}]

    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < MAX_BYTES


# What browsers only offer on https and on localhost: a small team's first server is on http in its own network.
SECURE_CONTEXTS_ONLY = re.compile(
    r"randomUUID|crypto\.subtle|\bclipboard\b|serviceWorker|\bcaches\.|navigator\.(locks|storage|share|credentials|wakeLock)"
    r"|new Notification|show(Open|Save)FilePicker|cookieStore|getScreenDetails"
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_needs_a_secure_context(script: Path) -> None:
    assert not SECURE_CONTEXTS_ONLY.search(re.sub(r"^\s*(//|\*|/\*\*).*$", "", script.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_creates_html_from_text_or_names_another_host(script: Path) -> None:
    text = script.read_text()

    assert not UNSAFE_SINKS.search(text)
    assert not re.search(r"""(from|import\(|fetch\()\s*["'`](https?:)?//""", text)


def test_every_text_is_used_and_every_used_text_exists() -> None:
    known = set(
        re.findall(r"^  (\w+):", (WEB / "texts.js").read_text().partition("export const texts")[2], re.MULTILINE)
    )
    used = {word for script in SCRIPTS for word in re.findall(r"\btexts\.(?!js\b)(\w+)", script.read_text())}

    assert known == used


def test_the_page_itself_needs_no_inline_script_or_style() -> None:
    page = (WEB / "index.html").read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page)
