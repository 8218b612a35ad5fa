"""What docs/scale.md says of a million boards follows from what requests consume here."""

import pytest

from infrastructure.deployment.package_build import ROOT
from tests.deployment import scale_model, test_costs
from tests.deployment.scale_measurement import PAGE, measure_month, render_tables
from tests.deployment.scale_model import Month

TEXT = PAGE.read_text()


@pytest.fixture(scope="module")
def month(dynoxide: str) -> Month:
    return measure_month(dynoxide)


def test_the_tables_of_the_page_follow_from_the_model(month: Month) -> None:
    for table in render_tables(month).values():
        assert table in TEXT, "python -m tests.deployment.scale_measurement writes the tables of docs/scale.md"


def test_the_page_says_what_the_model_assumes() -> None:
    changes = ", ".join(f"{name} {count}" for name, count in scale_model.CHANGES_PER_SESSION.items())
    minutes = scale_model.ACTIVE_MINUTES + scale_model.IDLE_MINUTES + scale_model.AWAY_MINUTES
    for assumption in (
        f"One board in {1 / scale_model.USED_SHARE:.0f} is used on each of {scale_model.WORKING_DAYS} working days",
        f"{scale_model.CARDS_PER_BOARD} cards",
        f"{scale_model.EVENTS_PER_CARD} events for each card",
        f"{minutes} minutes, {scale_model.ACTIVE_MINUTES} of them active",
        f"every {scale_model.IDLE_INTERVAL_SECONDS:.0f} seconds in {scale_model.IDLE_MINUTES} more minutes",
        f"{scale_model.WORKING_HOURS_PER_DAY} hours",
        f"{scale_model.LAMBDA_GB_SECONDS * 1000:.0f} ms of 1 GB",
        changes,
    ):
        assert assumption in TEXT


def test_the_model_has_the_intervals_of_the_page() -> None:
    source = (ROOT / "web" / "polling.js").read_text()

    assert f"ACTIVE_INTERVAL_MS = {scale_model.ACTIVE_INTERVAL_SECONDS * 1000:_.0f};" in source
    assert f"IDLE_INTERVAL_MS = {scale_model.IDLE_INTERVAL_SECONDS * 1000:_.0f};" in source
    assert f"AWAY_INTERVAL_MS = {scale_model.AWAY_INTERVAL_SECONDS * 1000:_.0f};" in source


def test_the_model_has_the_prices_of_the_bill() -> None:
    for price in (
        f"0.20 + 20,000 GB-s * {scale_model.LAMBDA_PER_GB_SECOND:.10f}",
        f"* {scale_model.READS_PER_MILLION}",
        f"* {scale_model.WRITES_PER_MILLION}",
        f"GB * {scale_model.LOGS_PER_GB:.2f}",
    ):
        assert price in test_costs.PAGE
