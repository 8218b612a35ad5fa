"""The report of an import."""

import pytest

from kanban.interchange.import_report import ImportReport


@pytest.mark.parametrize(("length", "name_in_report"), [(200, "x" * 200), (201, "x" * 199 + "…")])
def test_a_long_name_is_shortened(length: int, name_in_report: str) -> None:
    report = ImportReport()

    report.add_line("card", "x" * length, "It was left out.")

    assert [(line.kind, line.name, line.message) for line in report.lines] == [
        ("card", name_in_report, "It was left out.")
    ]


def test_two_hundred_lines_are_listed_and_the_others_counted() -> None:
    report = ImportReport()

    for number in range(203):
        report.add_line("card", f"{number}", "It was left out.")

    assert (len(report.lines), report.lines[-1].name, report.omitted_lines) == (200, "199", 3)


def test_nothing_that_was_cut_is_no_line() -> None:
    report = ImportReport()

    report.add_truncated_comments("Copy", 0)
    report.add_truncated_notes("Copy", 0)
    report.add_truncated_comments("Copy", 1)
    report.add_truncated_notes("Copy", 1)

    assert [line.message.partition(" ")[0] for line in report.lines] == ["1", "1"]
