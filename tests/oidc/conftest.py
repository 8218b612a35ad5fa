"""A provider for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.oidc.scripted_provider import ScriptedProvider, run_scripted_provider


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    """Run a scripted provider."""
    with run_scripted_provider() as running:
        yield running
