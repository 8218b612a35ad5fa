"""Prefer (RFC 7240): a dry run is asked for, and whatever else a client prefers is ignored."""

import pytest

from contract.preferences import has_preference


@pytest.mark.parametrize(
    "header",
    [
        *("dry-run", "Dry-Run", " dry-run ", 'dry-run=""', "dry-run=", "dry-run; for=me", 'dry-run;x="a,b";y'),
        *(
            "respond-async, dry-run",
            "return=minimal,dry-run",
            'a="x, y\\"z", dry-run',
            "wait = 10 ; a , dry-run",
            ",, dry-run",
        ),
        *("dry-run, dry-run=no", "dry-run,"),
    ],
)
def test_a_dry_run_is_preferred(header: str) -> None:
    assert has_preference(header, "dry-run")


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "dryrun", "dry-runs", "x-dry-run", "no=dry-run", 'a="dry-run"', 'a="x, dry-run, y"'),
        *(
            "dry-run=no",
            "dry-run=false",
            'dry-run="x"',
            "dry-run=no, dry-run",
            "a; dry-run",
            '"dry-run"',
            "a;b=dry-run",
        ),
        *("code=409", "=dry-run", 'a="x, dry-run', "\xfc=1"),
    ],
)
def test_other_preferences_are_ignored(header: str) -> None:
    assert not has_preference(header, "dry-run")


def test_a_long_header_is_parsed_in_linear_time() -> None:
    for header in (
        "a" * 32_000,
        "," * 32_000,
        'a="' + "\\" * 32_000,
        "a;" * 16_000,
        " " * 32_000,
        'a;"' * 10_000,
        "a= " * 10_000,
    ):
        assert not has_preference(header, "dry-run")
