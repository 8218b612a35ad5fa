"""Health checks for supervisors and load balancers."""

from pathlib import Path

from tests.api.client import Client


def test_a_running_process_is_healthy_and_ready_without_a_token(anonymous: Client) -> None:
    assert (anonymous.get("/health").json, anonymous.get("/ready").json) == ({"status": "ok"}, {"status": "ready"})


def test_a_process_with_a_read_only_store_is_healthy_but_not_ready(anonymous: Client, tmp_path: Path) -> None:
    database = tmp_path / "tackboard.db"
    moved_database = database.rename(tmp_path / "elsewhere.db")

    rejected = anonymous.get("/ready")

    assert (rejected.status, rejected.json["code"], rejected.headers["retry-after"]) == (503, "busy", "5")
    assert anonymous.get("/health").status == 200
    moved_database.rename(database)
    assert anonymous.get("/ready").status == 200
