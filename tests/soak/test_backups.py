"""What random programs leave behind moves from any engine to any other."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stores import open_store
from stores.backup import compute_digest, create_backup, restore_backup
from tests.engines.dynamodb_server import create_table_url, delete_table
from tests.soak.programs import run_program

SEEDS = range(4)


@pytest.fixture(params=["file", "table"])
def used(request: pytest.FixtureRequest, tmp_path: Path, dynoxide: str) -> Iterator[str]:
    """Run programs on a file or a table; return its URL."""
    url = f"sqlite:///{tmp_path}/used.db" if request.param == "file" else create_table_url(dynoxide)
    with closing(open_store(url)) as store:
        for seed in SEEDS:
            run_program(store, seed)
    yield url
    if request.param == "table":
        delete_table(url)


def test_a_store_of_random_programs_moves_around(used: str, tmp_path: Path, dynoxide: str) -> None:
    urls = [used, create_table_url(dynoxide), f"sqlite:///{tmp_path}/moved.db", create_table_url(dynoxide)]

    digests = {compute_digest(used)}
    for number, target in enumerate(urls[1:]):
        file = tmp_path / f"{number}.db"
        digests |= {create_backup(urls[number], file), restore_backup(file, target), compute_digest(target)}
    for url in (urls[1], urls[3]):
        delete_table(url)

    assert len(digests) == 1
    with closing(sqlite3.connect(tmp_path / "0.db")) as shell:
        assert shell.execute("SELECT count(*) FROM cards").fetchone()[0] > 0
