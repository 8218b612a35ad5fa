"""The clock of the machine. It is apart from the factory, so that who only needs the time loads no application."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

utc_now: Callable[[], datetime] = partial(datetime.now, UTC)
"""Returns the current time in UTC."""
