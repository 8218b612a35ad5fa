"""A value of a provider that is fetched when it is needed, and kept."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from oidc.errors import ProviderUnreachable

FRESH_SECONDS = 600.0
"""How long a value is used without being fetched again."""

STALE_SECONDS = 86_400.0
"""How long it is used while it can't be fetched again."""

PAUSE_SECONDS = 30.0
"""The time between two attempts to fetch, if the first failed or brought nothing new."""

_Value = TypeVar("_Value")


class CachedValue(Generic[_Value]):
    """A value that threads share. One of them fetches it; the others use the last one if there is one, or wait."""

    def __init__(self, fetch: Callable[[], _Value], monotonic: Callable[[], float]) -> None:
        """Take what fetches the value and may raise ProviderUnreachable, and a clock in seconds."""
        self._fetch = fetch
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fetched: tuple[_Value, float] | None = None
        self._attempted_at: float | None = None
        self._failure = "The provider gives no usable answer."

    def read(self) -> _Value:
        """Return the value. Raises ProviderUnreachable if there is none, or none that is younger than a day."""
        now = self._monotonic()
        value = self._find_younger_than(FRESH_SECONDS, now)
        if value is not None:
            return value[0]
        self._attempt(now, is_waiting=self._find_younger_than(STALE_SECONDS, now) is None)
        value = self._find_younger_than(STALE_SECONDS, self._monotonic())
        if value is None:
            raise ProviderUnreachable(self._failure)
        return value[0]

    def read_newer_than(self, old: _Value) -> _Value:
        """Return a newer value than one that lacks what the caller looks for; the same if it was fetched just now."""
        fetched = self._fetched
        if fetched is not None and fetched[0] is old:
            self._attempt(self._monotonic(), is_waiting=True)
        return self.read()

    def _find_younger_than(self, seconds: float, now: float) -> tuple[_Value, float] | None:
        fetched = self._fetched
        return fetched if fetched is not None and now - fetched[1] < seconds else None

    def _attempt(self, now: float, *, is_waiting: bool) -> None:
        """Fetch the value, unless that was tried just now, or another thread does it and this one need not wait."""
        if self._is_pausing(now) or not self._lock.acquire(blocking=is_waiting):
            return
        try:
            # Another thread may have tried while this one waited.
            if self._is_pausing(self._monotonic()):
                return
            try:
                self._fetched = self._fetch(), self._monotonic()
            except ProviderUnreachable as error:
                self._failure = str(error)
            finally:
                self._attempted_at = self._monotonic()
        finally:
            self._lock.release()

    def _is_pausing(self, now: float) -> bool:
        return self._attempted_at is not None and now - self._attempted_at < PAUSE_SECONDS
