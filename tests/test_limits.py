"""The limits that clients meet, as plain numbers.

Other tests import these constants, so they would pass with any value: here each has the value that the document and
the guides promise.
"""

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

LIMITS: dict[str, dict[str, Any]] = {
    "contract.edge": {
        "MOST_BODY": 262_144,
        "MOST_PATH": 2_048,
        "MOST_QUERY": 8_192,
        "MOST_HEADERS": 32_768,
    },
    "contract.heavy": {"MAX_AT_ONCE": 2},
    "contract.rate_limit": {"MAX_CALLERS": 10_000},
    "contract.strict_json": {"MAX_DEPTH": 200, "BYTES_PER_VALUE": 8},
    "contract.faults": {"MOST_FAULTS": 10, "MOST_TEXT": 2_000},
    "handlers.boards": {"MOST_EMBEDDED_CARDS": 500},
    "kanban.arranging": {"MOST_MOVES": 90},
    "kanban.copies": {"MOST_COPIED": 40, "MOST_COPIED_PARTS": 80},
    "kanban.days": {"LONGEST_RANGE": 366},
    "kanban.flow": {"MOST_EVENTS": 100_000, "MOST_POINTS": 5_000, "MOST_RUNNING": 1_000},
    "kanban.founding": {"LONGEST_COMMENT": 10_000, "LONGEST_NOTE": 1_000},
    "kanban.gatherings": {"MOST_MOVED": 40},
    "kanban.ranks": {"LONGEST": 120},
    "kanban.reports": {"MOST_LINES": 200},
    "kanban.shelves": {
        "MOST_STOPPED": 30,
        "RESTORABLE": timedelta(days=30),
        "PURGED_AFTER": timedelta(days=31),
    },
    "kanban.sizes": {"MOST_TEXT": 400_000, "MOST_KEPT": 86_000},
    "kanban.soundness": {"MOST_SECONDS": 1_000_000_000_000, "MOST_COST": 1_000_000_000_000_000},
    "kanban.time_entries": {"MOST_TIME_ENTRIES": 1_000, "LONGEST": timedelta(days=366)},
    "kanban.time_report": {"MOST_ENTRIES": 100_000},
    "kanban.tokens": {"MAX_ANCESTORS": 10},
    "kanban.trello": {"MOST_ACTIONS": 1_000},
    "kanban.trello_parts": {"MOST_LINKS": 20},
    "kanban.values": {
        "MOST_LISTS": 100,
        "MOST_CARDS": 5_000,
        "MOST_MEMBERS": 100,
        "MOST_ASSIGNEES": 40,
        "MOST_LABELS": 200,
        "MOST_CHECKLISTS": 20,
        "MOST_ITEMS": 100,
        "MOST_COMMENTS": 1_000,
    },
    "settling": {"ATTEMPTS": 12, "KEPT": timedelta(hours=24)},
}

_LIMIT = re.compile(r"^((?:MOST|MAX|LONGEST)(?:_[A-Z_]+)?) = (?!\")", re.MULTILINE)


@pytest.mark.parametrize("module", LIMITS)
def test_a_limit_has_the_value_that_is_promised(module: str) -> None:
    assert {name: getattr(importlib.import_module(module), name) for name in LIMITS[module]} == LIMITS[module]


def test_no_limit_is_missing_here() -> None:
    defined = {
        (file.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."), name)
        for folder in ("contract", "handlers", "kanban")
        for file in (ROOT / folder).glob("*.py")
        for name in _LIMIT.findall(file.read_text())
    }

    assert defined <= {(module, name) for module, limits in LIMITS.items() for name in limits}
