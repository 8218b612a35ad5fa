"""The clock of the machine, in a module of its own: the readers of the feed need it, but not the application."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

utc_now: Callable[[], datetime] = partial(datetime.now, UTC)
"""Returns the current time in UTC."""
