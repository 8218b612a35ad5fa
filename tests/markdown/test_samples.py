"""Texts as users write them on cards, and how the page renders them."""

import pytest

from tests.markdown.conftest import Parser


def render_link(address: str, words: str | None = None, title: str = "") -> str:
    attribute = f' title="{title}"' if title else ""
    return f'<a href="{address}" rel="noopener noreferrer nofollow" target="_blank"{attribute}>{words or address}</a>'


PLAIN_TEXTS = [
    "max_retry_count",
    "snake__case__name",
    "2*3*4 = 24",
    "5 * 3 * 2",
    "from ~5 to ~6 days",
    "C:\\temp\\new",
    "a&nbsp;b &lt;",
    "[ ] not in a list",
    "#tag",
    "[words] (not an address)",
    "[foo]: https-address",
    "We met on\u00a0Monday",
]


@pytest.mark.parametrize("text", PLAIN_TEXTS)
def test_plain_text_is_rendered_unchanged(parser: Parser, text: str) -> None:
    escaped_text = text.replace("&", "&amp;")

    assert parser("rendered", text) == f"<p>{escaped_text}</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("foo_bar https://ex.example/a_b", f"foo_bar {render_link('https://ex.example/a_b')}"),
        ("https://en.wikipedia.org/wiki/Foo_(bar)", render_link("https://en.wikipedia.org/wiki/Foo_(bar)")),
        ("see https://a.example/x.", f"see {render_link('https://a.example/x')}."),
        ("(see https://a.example/x)", f"(see {render_link('https://a.example/x')})"),
        ("**https://a.example**, yes", f"<strong>{render_link('https://a.example')}</strong>, yes"),
        ("詳細はhttps://a.example/x。", f"詳細は{render_link('https://a.example/x')}。"),
        ("[see https://a.example] now", f"[see {render_link('https://a.example')}] now"),
        ('[x](https://a.example "smartCard-inline")', render_link("https://a.example", "x")),
        ('[x](https://a.example "More")', render_link("https://a.example", "x", "More")),
        ("[x](https://a.example/(b)c)", render_link("https://a.example/(b)c", "x")),
        ("[a [b]](https://a.example)", render_link("https://a.example", "a [b]")),
        ("[](https://a.example)", render_link("https://a.example")),
        ("![plan](https://a.example/p.png)", render_link("https://a.example/p.png", "plan")),
        ("![](https://a.example/p.png)", render_link("https://a.example/p.png")),
        ("[![a](https://a.example/a)](https://b.example)", render_link("https://b.example", "a")),
        ("[a https://b.example](https://c.example)", render_link("https://c.example", "a https://b.example")),
        ("<https://a.example/x.>", render_link("https://a.example/x.")),
        ("<mina@a.example>", render_link("mailto:mina@a.example", "mina@a.example")),
        ("a\\_b\\*c", "a_b*c"),
        ("_so_ **it** ~~was~~ `is`", "<em>so</em> <strong>it</strong> <s>was</s> <code>is</code>"),
        ("one\ntwo  \nthree", "one<br>two<br>three"),
        ("<b>x</b> <!-- y -->", "&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;"),
    ],
)
def test_inline_markup_is_rendered(parser: Parser, text: str, html: str) -> None:
    assert parser("rendered", text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert)",
        "[a](JavaScript:alert)",
        "[a]( javascript:alert)",
        "[a](data:text/html,x)",
        "![a](vbscript:x 't')",
        "[a](/boards)",
        "[a](#token=x)",
        "[a](//b.example)",
        "[a](ftp://b.example)",
        "[a]()",
    ],
)
def test_a_link_to_a_forbidden_address_is_rendered_as_text(parser: Parser, text: str) -> None:
    assert parser("rendered", text) == f"<p>{text}</p>"


def test_a_link_within_a_forbidden_link_is_rendered_as_text(parser: Parser) -> None:
    assert "<a" not in parser("rendered", "[a](javascript:[b](javascript:https://c.example))")
    assert parser("rendered", "<javascript:alert(1)>") == "<p>&lt;javascript:alert(1)&gt;</p>"
    assert parser("rendered", "[*a*](x:y)") == "<p>[<em>a</em>](x:y)</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("24. Dezember", '<ol start="24"><li>Dezember</li></ol>'),
        ("1. a\n\n2. b", "<ol><li><p>a</p></li><li><p>b</p></li></ol>"),
        ("24. Dezember\n31. Dezember", '<ol start="24"><li>Dezember</li><li value="31">Dezember</li></ol>'),
        ("1. a\n1. b\n1. c", "<ol><li>a</li><li>b</li><li>c</li></ol>"),
        ("0. a\n1. b\n3. c\n4. d", '<ol start="0"><li>a</li><li>b</li><li value="3">c</li><li>d</li></ol>'),
        ("born on\n24. Dezember", "<p>born on<br>24. Dezember</p>"),
        ("- a\n  - b\n    1. c", "<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li></ul>"),
        ("# One\n\nTwo\n---", "<h4>One</h4><h4>Two</h4>"),
        ("### Three ###", "<h5>Three</h5>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
        ("```js\nlet _a_;\n```", "<pre><code>let _a_;\n</code></pre>"),
        ("    let _a_;", "<pre><code>let _a_;\n</code></pre>"),
    ],
)
def test_blocks_are_rendered(parser: Parser, text: str, html: str) -> None:
    assert parser("rendered", text) == html


def test_tasks_have_checkboxes(parser: Parser) -> None:
    item = '<li class="task"><input type="checkbox" disabled="" {}>{}</li>'

    html = parser("rendered", "- [ ] a\n- [x] b\n- [X] [c](https://a.example)\n- [d](https://a.example)\n- [ ]")

    assert html == (
        "<ul>"
        + item.format('aria-label="Not done"', "a")
        + item.format('checked="" aria-label="Done"', "b")
        + item.format('checked="" aria-label="Done"', render_link("https://a.example", "c"))
        + f"<li>{render_link('https://a.example', 'd')}</li><li>[ ]</li></ul>"
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |", [["a", "b"], ["1", "2"]]),
        ("a | b\n:-: | -\n1 | 2", [["a", "b"], ["1", "2"]]),
        ("| a |\n| - |\n| `x \\| y` |\n| z \\| _z_ |", [["a"], ["<code>x | y</code>"], ["z | <em>z</em>"]]),
        ("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\nx\n", [["a", "b"], ["1"], ["1", "2", "3"], ["x"]]),
    ],
)
def test_tables_keep_every_cell(parser: Parser, text: str, rows: list[list[str]]) -> None:
    html = parser("rendered", text).replace(' class="to-center"', "")

    head, *body = (
        "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>"
        for tag, row in zip(["th", *["td"] * len(rows)], rows, strict=False)
    )
    assert f"<thead>{head}</thead><tbody>{''.join(body)}</tbody>" in html


@pytest.mark.parametrize("text", ["a | b\n--- | --- | ---", "a\n---", "a | b\n\n--- | ---", "a | b\nc | d"])
def test_a_table_needs_a_delimiter_row(parser: Parser, text: str) -> None:
    assert "<table" not in parser("rendered", text)


def test_a_table_ends_a_paragraph_and_ends_at_a_blank_line(parser: Parser) -> None:
    html = parser("rendered", "intro\na | b\n-|-:\n1 | 2\n\noutro")

    assert html.startswith("<p>intro</p><div")
    assert '<td class="to-end">2</td>' in html
    assert html.endswith("</div><p>outro</p>")
