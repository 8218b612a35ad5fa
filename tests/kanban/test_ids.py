"""Ids begin with their kind, never repeat, and sort by creation."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from kanban.ids import PREFIXES, IdGenerator

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_an_id_is_a_prefix_and_a_ulid_in_lower_case() -> None:
    new_id = IdGenerator(lambda: NOON, os.urandom)

    for kind, prefix in PREFIXES.items():
        assert re.fullmatch(prefix + "[0-7][0-9a-hjkmnp-tv-z]{25}", new_id(kind))


def test_an_id_contains_the_time_and_the_random_bytes() -> None:
    new_id = IdGenerator(
        lambda: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=31), lambda _: b"\x00" * 9 + b"\x1f"
    )

    assert new_id("card") == "crd_000000000z000000000000000z"


def test_ids_of_one_millisecond_sort_by_creation() -> None:
    new_id = IdGenerator(lambda: NOON, os.urandom)

    ids = [new_id("card") for _ in range(1000)]

    assert ids == sorted(set(ids))


def test_randomness_is_read_once_in_a_millisecond() -> None:
    """Each read releases Python's lock for a moment: in a loop, that starves the threads that wait for the lock."""
    sizes: list[int] = []
    times = iter([NOON] * 1000 + [NOON + timedelta(milliseconds=1)] * 1000)

    def read_random_bytes(size: int) -> bytes:
        sizes.append(size)
        return os.urandom(size)

    new_id = IdGenerator(lambda: next(times), read_random_bytes)

    ids = [new_id("card") for _ in range(2000)]

    assert sizes == [10, 10]
    assert ids == sorted(set(ids))


def test_ids_sort_by_creation_even_when_the_clock_is_set_back() -> None:
    times = iter([NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=2), NOON + timedelta(seconds=1)])
    new_id = IdGenerator(lambda: next(times), os.urandom)

    ids = [new_id("card") for _ in range(4)]

    assert ids == sorted(set(ids))


def test_threads_never_generate_the_same_id() -> None:
    new_id = IdGenerator(lambda: NOON, lambda size: b"\x00" * size)

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id("card"), range(2000)))

    assert len(set(ids)) == 2000


def test_an_unknown_kind_raises_a_key_error() -> None:
    with pytest.raises(KeyError):
        IdGenerator(lambda: NOON, os.urandom)("sticker")
