"""Every module that decides something has tests that mutants of it are tried with."""

from tests.mutants.matching import map_tests_to_files


def test_every_module_of_the_rules_has_tests_that_exist() -> None:
    tests_by_file = map_tests_to_files()

    assert {"kanban/cards.py", "kanban/ordering/ranks.py", "contract/operations.py"} <= tests_by_file.keys()
