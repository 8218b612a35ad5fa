"""A client that follows a board by `list_changes` has the board as it is, whatever is written between its pages."""

import json
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from kanban.store import Store
from tests.api.board_reader import mask_clocks, read_board
from tests.api.client import Client
from tests.readme.board_copies import make_copy
from tests.soak.conftest import Engine
from tests.soak.programs import STEPS, Program, ProgramRun, generate_program
from tests.soak.randomness import seeded_random
from usecases import board_changes


class Follower:
    """A member who keeps a copy of a board."""

    def __init__(self, client: Client, board_id: str, user: str) -> None:
        self.user = user
        self.pages = 0
        self._client = client
        self._path = f"/boards/{board_id}"
        self.copy = make_copy(self._get)

    def _get(self, query: dict[str, Any]) -> tuple[int, Any]:
        self.pages += 1
        response = self._client.get(f"{self._path}/changes?{urlencode(query)}")
        assert response.status == 200, response.raw
        return response.status, response.json

    def compare(self) -> None:
        """Catch up, and raise AssertionError if the copy is not what a new reader of the board sees."""
        self.copy.catch_up()
        board = json.loads(json.dumps({**self.copy.things, "board": self.copy.board}))
        assert mask_clocks(board) == read_board(self._client, self._path)


class FollowedRun(ProgramRun):
    """A run with followers of every board, who read a page now and then."""

    def __init__(self, store: Store, name: str) -> None:
        super().__init__(store, name)
        self.pages = 0
        self._followers: dict[str, list[Follower]] = {}

    def follow(self, program: Program) -> None:
        """Run all steps, with pages of the followers between them, and compare their copies."""
        for step in program:
            self._run_step(seeded_random(step))
            self._read_some_pages(seeded_random("pages", step))
        for followers in self._followers.values():
            for follower in followers:
                follower.compare()
                self.pages += follower.pages

    def _read_some_pages(self, rng: Random) -> None:
        for board in self._model.boards:
            followers = [
                follower for follower in self._followers.get(board.id, []) if board.find_membership(follower.user)
            ]
            self._followers[board.id] = followers
            if not followers or (len(followers) < 3 and rng.random() < 0.05):
                user = rng.choice([membership.user for membership in board.memberships])
                followers.append(Follower(self._clients[user], board.id, user))
            for follower in followers:
                for _ in range(rng.choice((0, 0, 1, 2))):
                    follower.copy.read_page()
                if rng.random() < 0.05:
                    follower.compare()
        self._followers = {board.id: self._followers[board.id] for board in self._model.boards}


@pytest.fixture(params=["pages as they are", "tiny pages"])
def page_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let most changes take several pages."""
    if request.param == "tiny pages":
        limits = {"MAX_RESOURCES": 2, "MAX_KEYED_RESOURCES": 3, "MAX_EVENTS": 2, "MAX_EVENTS_BEHIND": 15}
        for name, value in limits.items():
            monkeypatch.setattr(board_changes, name, value)
        monkeypatch.setattr(board_changes, "PAGE_BYTES", 100)


@pytest.mark.usefixtures("page_size")
def test_a_follower_of_any_program_has_the_board_as_it_is(engine: Engine, report: Callable[[str], None]) -> None:
    store = engine.open()
    seeds, pages = engine.seeds(fast=5, full=300), 0

    for seed in seeds:
        run = FollowedRun(store, f"{seed}")
        run.follow(generate_program(seed))
        pages += run.pages

    report(f"{len(seeds)} programs of {STEPS} steps, {pages} pages of changes: every copy was the board")
