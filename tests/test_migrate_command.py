"""A store of an older Tackboard is brought up to date by those commands that say so, and by every way of serving."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli import main
from stores import open_store
from stores.sql import migrations
from tests.engines.dynamodb_server import create_table_url, dynoxide
from tests.engines.other_versions import set_schema
from tests.engines.postgresql_server import PostgresqlServer
from tests.live_server import LiveServer
from tests.stores.conftest import postgresql

__all__ = ["dynoxide", "postgresql"]

ROOT = Path(__file__).parents[1]
UP_TO_DATE = "The store is up to date: there is nothing to migrate.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change into an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORE_URL", raising=False)
    return tmp_path


def schema_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as shell:
        ((version,),) = shell.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608
    return str(version)


def test_a_file_is_copied_and_migrated_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_schema("sqlite:///tackboard.db", "0002")

    first = main.main(["migrate"])
    output = capsys.readouterr()
    second = main.main(["migrate"])

    (copy,) = folder.glob("tackboard-schema-0002-*.db")
    assert (first, second) == (0, 0)
    assert output == (
        (
            f"Migrated {folder}/tackboard.db from schema 0002 to {migrations.HEAD}. "
            f"A copy of the old file is {copy}: delete it when you no longer need it.\n"
        ),
        "",
    )
    assert capsys.readouterr() == (UP_TO_DATE, "")
    assert schema_of(Path("tackboard.db")) == migrations.HEAD
    assert schema_of(copy) == "0002"


def test_a_database_on_a_server_is_backed_up_and_migrated_once(
    folder: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgresql.database() as name:
        monkeypatch.setenv("STORE_URL", set_schema(postgresql.url(name), "0002"))

        statuses = [main.main(["migrate"]), main.main(["migrate"])]

    assert statuses == [0, 0]
    (backup,) = (folder / "backups").iterdir()
    assert backup.name.startswith(f"{name}-schema-0002-20")
    assert schema_of(backup) == "0002"
    assert capsys.readouterr() == (
        (
            f"Migrated the database '{name}' at 127.0.0.1:{postgresql.port} from schema 0002 to {migrations.HEAD}. "
            f"A backup of the old data is backups/{backup.name}: delete it when you no longer need it.\n{UP_TO_DATE}"
        ),
        "",
    )


def test_a_database_is_not_migrated_if_its_backup_fails(
    folder: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "backups").write_text("a file")
    with postgresql.database() as name:
        url = set_schema(postgresql.url(name), "0002")
        monkeypatch.setenv("STORE_URL", url)

        statuses = [main.main(["migrate"]), main.main(["digest"])]

    assert statuses == [1, 1]
    failed, refused = capsys.readouterr().err.splitlines()
    assert failed == "The folder backups can't be made: file exists."
    assert "schema 0002" in refused


def test_a_database_on_a_server_is_migrated_without_a_backup_if_that_is_not_wanted(
    folder: Path, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BACKUP_BEFORE_MIGRATION", "0")
    with postgresql.database() as name:
        monkeypatch.setenv("STORE_URL", set_schema(postgresql.url(name), "0002"))

        statuses = [main.main(["migrate"]), main.main(["migrate"])]

    assert statuses == [0, 0]
    assert capsys.readouterr() == (
        (
            f"Migrated the database '{name}' at 127.0.0.1:{postgresql.port} from schema 0002 to {migrations.HEAD}. "
            f"No copy of it was made: to go back, restore a backup that you made before.\n{UP_TO_DATE}"
        ),
        "",
    )
    assert not (folder / "backups").exists()


def test_a_table_has_nothing_to_migrate(
    dynoxide: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_URL", create_table_url(dynoxide))
    open_store(os.environ["STORE_URL"]).close()

    assert main.main(["migrate"]) == 0

    assert capsys.readouterr() == (UP_TO_DATE, "")


def test_a_run_migrates_and_says_so(folder: Path) -> None:
    set_schema("sqlite:///tackboard.db", "0002")

    with LiveServer(folder) as server:
        assert server.errors.startswith(f"Migrated {folder}/tackboard.db from schema 0002 to {migrations.HEAD}. ")
        assert server.errors.count("\n") == 1

    assert [schema_of(copy) for copy in folder.glob("tackboard-schema-*.db")] == ["0002"]


def test_another_server_of_the_application_migrates_and_says_so(folder: Path) -> None:
    set_schema("sqlite:///tackboard.db", "0002")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], env=environment, capture_output=True, text=True, check=True
    )

    assert f"Migrated {folder}/tackboard.db from schema 0002 to {migrations.HEAD}. " in done.stderr
    assert [schema_of(copy) for copy in folder.glob("tackboard-schema-*.db")] == ["0002"]


def test_another_server_of_the_application_creates_a_missing_store(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    subprocess.run([sys.executable, "-c", "import wsgi"], env=environment, check=True)

    assert schema_of(folder / "tackboard.db") == migrations.HEAD


def test_a_backup_without_a_name_says_where_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()
    backups = folder / "backups"
    backups.mkdir()
    for day in range(1, 15):
        (backups / f"tackboard-2020-01-{day:02}T000000Z.db").touch()

    status = main.main(["backup"])

    out, err = capsys.readouterr()
    assert status == 0
    assert re.fullmatch(r"[0-9a-f]{64}\n", out)
    first, second = err.splitlines()
    assert re.fullmatch(r"The backup is backups/tackboard-20[0-9-]{8}T[0-9]{6}Z\.db\.", first)
    assert second == "Deleted backups/tackboard-2020-01-01T000000Z.db."
    assert len(list(backups.iterdir())) == 14


def test_a_restore_of_an_older_backup_says_that_it_could_not_compare_a_digest(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_schema("sqlite:///older.db", "0002")
    monkeypatch.setenv("STORE_URL", "sqlite:///restored.db")

    status = main.main(["restore", "older.db"])

    out, err = capsys.readouterr()
    assert status == 0
    assert re.fullmatch(r"[0-9a-f]{64}\n", out)
    assert err == (
        "There is no digest inside older.db, which an older Tackboard made: changed text can't be detected.\n"
    )
    assert sorted(path.name for path in folder.iterdir()) == ["older.db", "restored.db"]
