"""Build a page for each problem code. The `type` of a problem leads to it: /problems/{code}."""

import json
import re
from html import escape
from pathlib import Path
from string import Template

PROBLEMS_PATH = "/problems/"

_CODE_ROW = re.compile(
    r"^\| (?P<status>\d+) \| `(?P<code>\w+)` \| (?P<meaning>.*?) \| (?P<advice>.*?) \|$", re.MULTILINE
)
"""A row of the table in the description of the schema `ProblemCode`."""
_CODE_SPAN = re.compile(r"`(.*?)`")


def build_problem_pages(openapi_json: bytes, template: Path, stylesheet: str) -> dict[str, bytes]:
    """Build the HTML of each problem page, by path, from the table of codes in an OpenAPI document.

    `stylesheet` is the path of the style sheet.
    """
    schemas = json.loads(openapi_json).get("components", {}).get("schemas", {})
    page = Template(template.read_text())
    pages = {}
    for row in _CODE_ROW.finditer(schemas.get("ProblemCode", {}).get("description", "")):
        cells = {name: _CODE_SPAN.sub(r"<code>\1</code>", escape(cell)) for name, cell in row.groupdict().items()}
        pages[PROBLEMS_PATH + row["code"]] = page.substitute(cells, stylesheet=stylesheet).encode()
    return pages
