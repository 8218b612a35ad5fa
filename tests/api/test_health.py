"""Health checks for supervisors and load balancers."""

from pathlib import Path

from tests.api.client import Client


def test_a_running_process_is_healthy_and_ready_without_a_token(stranger: Client) -> None:
    assert (stranger.get("/health").json, stranger.get("/ready").json) == ({"status": "ok"}, {"status": "ready"})


def test_a_process_with_a_read_only_store_is_healthy_but_not_ready(stranger: Client, tmp_path: Path) -> None:
    database = tmp_path / "tackboard.db"
    elsewhere = database.rename(tmp_path / "elsewhere.db")

    refused = stranger.get("/ready")

    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (503, "busy", "5")
    assert stranger.get("/health").status == 200
    elsewhere.rename(database)
    assert stranger.get("/ready").status == 200
