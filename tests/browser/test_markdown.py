"""Markdown is rendered as a few kinds of elements, and no code in it runs."""

from collections.abc import Set as AbstractSet

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.page_objects import User, card

pytestmark = pytest.mark.browser

MALICIOUS_TEXT = """
# <img src=x onerror=alert(1)>

<script>alert(1)</script> <svg onload=alert(1)> <a href="javascript:alert(1)">x</a>

[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](&#106;avascript:alert(1)) [d](java\\
script:alert(1)) [e](data:text/html,<script>alert(1)</script>) <javascript:alert(1)> ![f](x" onerror=alert(1))

[g](https://a.example "\\" onclick=alert(1) x=\\"") ![h](https://a.example/"onerror=alert(1)) <https://b.example>

| <b onclick=alert(1)> | [i](javascript:alert(1)) |
|---|---|
| `</code><script>alert(1)</script>` | [j](vbscript:alert(1)) |

- [x] <iframe src="javascript:alert(1)">

```"><script>alert(1)</script>
</pre><script>alert(1)</script>
```
""".strip()

ALLOWED: dict[str, AbstractSet[str]] = {
    "a": {"href", "rel", "target", "title"},
    "code": frozenset(),
    "div": {"class", "role", "aria-label", "tabindex"},
    "h4": frozenset(),
    "input": {"type", "disabled", "checked", "aria-label"},
    "li": {"class"},
    **dict.fromkeys(("br", "p", "pre", "table", "tbody", "td", "th", "thead", "tr", "ul"), frozenset()),
}


def test_no_code_in_a_description_or_comment_runs(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    path = f"boards/{board_id}/cards/{stored_card['id']}"
    mina.request("PATCH", path, {"description": MALICIOUS_TEXT}, If_Match="*")
    mina.request("POST", f"{path}/comments", {"text": MALICIOUS_TEXT})
    page.on("dialog", lambda dialog: visit.errors.append(dialog.message))
    mina.sign_in(page, board_id)

    card(page, "One").click()

    expect(page.locator("dialog .markdown")).to_have_count(2)
    elements = page.locator("dialog .markdown *").evaluate_all(
        """(elements) => elements.map((element) => [
          element.localName, [...element.attributes].map(({ name }) => name), element.href ?? null])"""
    )
    addresses = {address for _, _, address in elements if address}
    assert {name for name, _, _ in elements} == set(ALLOWED)
    assert all(set(names) <= ALLOWED[element] for element, names, _ in elements)
    assert addresses == {"https://a.example/", "https://a.example/%22onerror=alert(1)", "https://b.example/"}
    assert not visit.errors


def test_a_description_renders_checkboxes_numbers_and_tables(mina: User, visit: Visit) -> None:
    page = visit.page
    board_id = mina.create_board("One")
    (stored_card,) = mina.request("GET", f"boards/{board_id}/cards")["items"]
    text = "24. Dezember\n31. Dezember\n\n- [x] seen\n\n| max_retry_count | n |\n|---|--:|\n| 2 | 3 |"
    mina.request("PATCH", f"boards/{board_id}/cards/{stored_card['id']}", {"description": text}, If_Match="*")
    mina.sign_in(page, board_id)

    card(page, "One").click()

    description = page.locator("dialog .markdown")
    expect(description.get_by_role("checkbox", name="Done")).to_be_checked()
    expect(description.get_by_role("cell")).to_have_text(["2", "3"])
    expect(description.get_by_role("columnheader")).to_have_text(["max_retry_count", "n"])
    assert description.locator("ol").evaluate("(list) => [list.start, list.lastElementChild.value]") == [24, 31]
    assert description.locator("td").last.evaluate("(cell) => getComputedStyle(cell).textAlign") == "end"
