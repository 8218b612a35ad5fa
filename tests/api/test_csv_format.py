"""CSV: no cell can become a formula, in whichever locale a spreadsheet splits it."""

import csv
import io
import re
from collections.abc import Iterator

import pytest

from kanban.interchange.csv_format import format_csv
from tests.api.client import Client

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
BEFORE = (
    *("", "a;", "a; ", 'a;"', 'a;" "', "a\t", "a\n", "a\r\n", "a\n  ", "a\u2028"),
    *(";", '";', 'a,b;"c";', '"\n'),
)
AFTER = ("", ";", ",", '"', "\n", "&A1;x")


def split_like_a_spreadsheet(table: str) -> Iterator[str]:
    """Yield every text that a spreadsheet could take for a cell, with and without respecting quotation marks."""
    for delimiter in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(table, newline=""), delimiter=delimiter):
            yield from row
    for line in re.split("[\r\n\u0085\u2028\u2029]+", table):
        # A cell that starts with a quotation mark has what is between the marks.
        yield from (piece.strip(' "') for piece in re.split("[;\t]", line))


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE)
def test_no_part_of_a_text_can_become_a_formula(before: str, sign: str) -> None:
    for after in AFTER:
        text = f"{before}{sign}1+1{after}"
        table = format_csv(["id", "title", "last"], [["x", text, 3]])

        assert [piece for piece in split_like_a_spreadsheet(table) if piece.startswith(tuple(SIGNS))] == []
        [_, row] = csv.reader(io.StringIO(table, newline=""))
        assert (row[0], row[1].replace("'", ""), row[2]) == ("x", text, "3")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("plain", "plain"),
        (None, ""),
        (-3, "-3"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ("a;b", '"a;b"'),
        ("a\u2028b", '"a\u2028b"'),
        ("a\nb", '"a\nb"'),
        ("a = b - c", "a = b - c"),
        ("Buy:\n- milk", '"Buy:\n\'- milk"'),
        ("https://example.com/?a=1;b=2", '"https://example.com/?a=1;b=2"'),
    ],
)
def test_a_harmless_cell_is_not_escaped(value: object, cell: str) -> None:
    assert format_csv(None, [[value, 1]]) == f"{cell},1\r\n"


def test_the_urls_of_a_card_are_in_the_last_column(mina: Client) -> None:
    path = f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"
    links = [{"url": f"https://example.com/{number}", "title": "A page"} for number in range(2)]
    mina.post(f"{path}/cards", {"title": "a;=1+1;", "links": links})

    response = mina.get(f"{path}/cards", Accept="text/csv")

    header, row = csv.reader(io.StringIO(response.raw.decode(), newline=""))
    assert (header[-2:], row[-2:]) == (["currency", "links"], ["USD", "https://example.com/0 https://example.com/1"])
    assert row[1] == "a;'=1+1;"
    assert not response.raw.startswith(b"\xef\xbb\xbf")
