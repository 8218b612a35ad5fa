"""What tests of commands put into the store that is in the current folder."""

import os
from contextlib import closing
from datetime import UTC, datetime

from kanban import boards, cards, users
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.values import NewBoard, NewCard
from stores import open_store


def make_user(name: str, user_id: str | None = None) -> None:
    """Create a user; the first one in a store is its owner."""
    with closing(open_store("sqlite:///tackboard.db")) as store:
        act = ActionContext(
            "", datetime.now(UTC).replace(microsecond=0), IdGenerator(lambda: datetime.now(UTC), os.urandom)
        )
        store.commit(users.create(act, name=name, id=user_id)[1])


def make_board(name: str, *card_titles: str) -> str:
    """Create a board of the owner; return its id."""
    with closing(open_store("sqlite:///tackboard.db")) as store:
        owner = store.read_installation_owner()
        assert owner
        act = ActionContext(
            owner.id, datetime.now(UTC).replace(microsecond=0), IdGenerator(lambda: datetime.now(UTC), os.urandom)
        )
        view, made = boards.create(act, NewBoard(name=name))
        store.commit(made)
        for title in card_titles:
            view = store.read_board(view.board.id, owner.id) or view
            store.commit(cards.create(view, act, NewCard(title=title))[1])
        return view.board.id
