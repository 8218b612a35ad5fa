"""Money is rounded half up, once, and formatted with its currency's digits."""

import pytest

from kanban.timekeeping import money


@pytest.mark.parametrize(
    ("rate_seconds", "minor"),
    [(0, 0), (1799, 0), (1800, 1), (3599, 1), (3600, 1), (5399, 1), (5400, 2), (10**17 * 3600 + 1800, 10**17 + 1)],
)
def test_halves_are_rounded_up(rate_seconds: int, minor: int) -> None:
    assert money.compute_cost_minor(rate_seconds) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "formatted"),
    [
        (263, "USD", "USD 2.63"),
        (0, "EUR", "EUR 0.00"),
        (5, "CHF", "CHF 0.05"),
        (263, "JPY", "JPY 263"),
        (263, "KWD", "KWD 0.263"),
        (-5, "USD", "USD -0.05"),
        (10**17, "USD", "USD 1000000000000000.00"),
    ],
)
def test_an_amount_is_formatted_with_the_digits_of_its_currency(amount: int, currency: str, formatted: str) -> None:
    assert money.format_amount(amount, currency) == formatted


def test_every_currency_has_a_code_of_three_capitals() -> None:
    assert len(money.MINOR_DIGITS) > 150
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.MINOR_DIGITS)
