"""How often a caller may ask."""

import pytest

from contract.rate_limit import RateLimit


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_minutes_worth_may_come_at_once_and_one_more_waits(watch: Watch) -> None:
    limit = RateLimit(30, watch)

    waits = [limit.wait("mina") for _ in range(31)]

    assert waits == [0.0] * 30 + [pytest.approx(2.0)]


def test_whoever_waits_as_long_as_told_may_go_on(watch: Watch) -> None:
    limit = RateLimit(7, watch)
    while not (wait := limit.wait("mina")):
        pass

    watch.seconds += wait

    assert limit.wait("mina") == 0.0
    assert limit.wait("mina") == pytest.approx(wait)


def test_asking_too_early_makes_nobody_wait_longer(watch: Watch) -> None:
    limit = RateLimit(1, watch)

    waits = [limit.wait("mina") for _ in range(5)]

    assert waits == [0.0, 60.0, 60.0, 60.0, 60.0]


def test_a_steady_pace_below_the_limit_is_never_stopped(watch: Watch) -> None:
    limit = RateLimit(30, watch)

    for _ in range(1_000):
        assert limit.wait("mina") == 0.0
        watch.seconds += 2.0


def test_one_caller_takes_nothing_from_another(watch: Watch) -> None:
    limit = RateLimit(1, watch)
    limit.wait("mina")

    assert limit.wait("omar") == 0.0


def test_a_clock_that_is_put_back_shuts_nobody_out(watch: Watch) -> None:
    limit = RateLimit(1, watch)
    limit.wait("mina")

    watch.seconds -= 3_600

    assert limit.wait("mina") == 0.0
    assert limit.wait("mina") == 60.0
