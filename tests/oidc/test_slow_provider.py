"""A provider that never answers delays only those who sign in there."""

import threading
from pathlib import Path

import httpx

from tests.engines.scripted_server import send_nothing
from tests.live_server import LiveServer
from tests.oidc.scripted_provider import WELL_KNOWN, run_scripted_provider

ATTEMPTS = 12
"""More than there are threads for such requests, and for reads and writes."""


def test_reads_and_writes_go_on_while_a_provider_is_slow(tmp_path: Path) -> None:
    with run_scripted_provider() as provider:
        provider.reactions[WELL_KNOWN] = send_nothing
        setting = provider.write_setting(redirect_uris=["https://boards.example.test/"])
        with LiveServer(tmp_path, OIDC_PROVIDERS=setting) as server, httpx.Client(timeout=60) as client:
            statuses: list[int] = []

            def begin() -> None:
                body = {"redirect_uri": "https://boards.example.test/"}
                url = f"{server.url}v1/sign-in/scripted/authorizations"
                statuses.append(httpx.post(url, json=body, timeout=60).status_code)

            threads = [threading.Thread(target=begin) for _ in range(ATTEMPTS)]
            for thread in threads:
                thread.start()
            while not provider.list_requests(WELL_KNOWN):
                pass
            headers = {"Authorization": f"Bearer {server.token}"}
            created = client.post(f"{server.url}v1/boards", json={"name": "Website"}, headers=headers)
            listed = client.get(f"{server.url}v1/boards", headers=headers)
            unfinished = ATTEMPTS - len(statuses)
            for thread in threads:
                thread.join()

    assert (created.status_code, listed.status_code) == (201, 200)
    assert unfinished == ATTEMPTS
    assert statuses == [503] * ATTEMPTS
    # All of them wait for the one that asks.
    assert len(provider.list_requests(WELL_KNOWN)) == 1
