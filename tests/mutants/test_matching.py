"""Every module that decides something has tests that mutants of it are tried with."""

import re

from tests.mutants.matching import AUTHORIZATION, map_tests_to_files
from tests.mutants.operators import ROOT


def test_every_module_of_the_rules_has_tests_that_exist() -> None:
    tests_by_file = map_tests_to_files()

    assert {"kanban/cards.py", "kanban/ordering/ranks.py", "contract/operations.py"} <= tests_by_file.keys()


def test_every_module_that_decides_who_may_do_what_is_known() -> None:
    deciding = {
        str(file.relative_to(ROOT))
        for package in ("app", "handlers", "kanban", "usecases")
        for file in (ROOT / package).rglob("*.py")
        if decides(file.read_text())
    }

    assert deciding <= AUTHORIZATION.keys()


def decides(source: str) -> bool:
    """Tell whether a module defines a denial, or imports one of the decisions of `kanban.access`."""
    names = re.findall(r"^from kanban\.access import (?:\(([^)]*)\)|(.*)$)", source, re.MULTILINE)
    is_denial_defined = re.search(r"^class \w+\((Forbidden|Unauthenticated)\)", source, re.MULTILINE)
    return bool(is_denial_defined or re.search(r"\b(ensure_|limits_)|TooLow|TooNarrow|Missing", str(names)))
