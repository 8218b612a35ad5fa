"""The pages of an export, put together as a client does it."""

from collections.abc import Mapping, Sequence
from typing import Any


def join_pages(pages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the whole document of all pages in order: the first, with the arrays of all and the digest of the last."""
    arrays = {
        name: [value for page in pages for value in page[name]] for name, part in pages[0].items() if type(part) is list
    }
    return {**pages[0], **arrays, "digest": pages[-1]["digest"], "next_cursor": pages[-1]["next_cursor"]}
