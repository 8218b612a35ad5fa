"""The commands about users, tokens and boards, as an operator sees them."""

import io
import json
import os
import re
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.settings import SETTINGS
from cli import main
from kanban import members, tokens
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.values import Role, Token
from stores import open_store
from tests.store_in_folder import make_board, make_user

TOKEN = re.compile(r"tkb_[0-9A-Za-z]{36}")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test in an empty folder, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


def test_a_user_is_added_and_gets_a_link(capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()

    assert main.main(["users", "add", "ann", "--name", "Ann Roth"]) == 0
    assert main.main(["users", "add", "mina", "--name", "Mina Ö."]) == 0
    assert capsys.readouterr().out == (
        "The user 'ann' is created, as the owner of the installation. `sign-in ann` prints a link that signs them in.\n"
        "The user 'mina' is created. `sign-in mina` prints a link that signs them in.\n"
    )
    assert main.main(["users", "add", "mina", "--name", "Another"]) == 1
    assert capsys.readouterr().err == "There is a user with the id 'mina' already.\n"
    assert main.main(["users", "add", "Mina", "--name", "Mina"]) == 1
    assert capsys.readouterr().err.startswith("The id ")
    assert main.main(["sign-in", "mina"]) == 0
    with closing(open_store("sqlite:///tackboard.db")) as store:
        users_by_id = store.read_users(["ann", "mina"])
        assert [user.name for user in users_by_id.values()] == ["Ann Roth", "Mina Ö."]
        assert store.read_installation_owner_ids() == ("ann",)
    assert main.main(["audit-log", "mina"]) == 0
    assert [line.split()[1:] for line in capsys.readouterr().out.splitlines() if "user.created" in line] == [
        ["user.created", "mina", "by", "a", "command"]
    ]


def _sign_in(user_id: str) -> Token:
    """Open a session for a user."""
    with closing(open_store("sqlite:///tackboard.db")) as store:
        now = datetime.now(UTC).replace(microsecond=0)
        context = ActionContext(user_id, now, IdGenerator(lambda: now, os.urandom))
        session, _, change = tokens.open_session(context, os.urandom, user_id=user_id, name="Laptop")
        store.commit(change)
        return session


def test_tokens_and_sessions_are_listed_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["token"])
    main.main(["token", "mina"])
    session = _sign_in("mina")
    secrets = TOKEN.findall(capsys.readouterr().out)
    assert len(secrets) == 2

    assert main.main(["tokens", "list"]) == 0
    everything = capsys.readouterr().out
    assert main.main(["tokens", "list", "mina"]) == 0

    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert [line[1:4] for line in lines] == [["mina", "token", "never used"], ["mina", "session", "never used"]]
    assert lines[0][4:] == ["never expires", "read,write", "Command line"]
    assert lines[1][0] == session.id
    assert lines[1][5:] == ["read,write,admin", "Laptop"]
    assert [line.split()[1] for line in everything.splitlines()] == ["ann", "mina", "mina"]
    assert not any(secret in everything for secret in secrets)


def test_the_token_of_another_user_is_revoked_with_what_it_created(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["token", "mina"])
    digest = tokens.parse_to_digest(capsys.readouterr().out.strip())
    assert digest
    with closing(open_store("sqlite:///tackboard.db")) as store:
        (token,) = store.page_tokens("mina", 10).items

    assert main.main(["tokens", "revoke", token.id]) == 0
    assert main.main(["tokens", "revoke", token.id]) == 0
    assert main.main(["tokens", "list"]) == 0
    assert capsys.readouterr().out == (
        f"The token '{token.id}' of the user 'mina' is revoked, and so are all that it created.\n"
        f"The token '{token.id}' of the user 'mina' was ended before.\n"
    )
    with closing(open_store("sqlite:///tackboard.db")) as store:
        token_and_user = store.read_token_by_digest(digest)
        assert token_and_user
        assert token_and_user[0].revoked_at
    assert main.main(["audit-log", "mina"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[1:] == [
        *("token.revoked", "mina", "by", "a", "command", f"token_id={token.id}")
    ]


def test_a_session_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    session = _sign_in("ann")

    assert main.main(["tokens", "revoke", session.id]) == 0
    assert capsys.readouterr().out == f"The session '{session.id}' of the user 'ann' is ended.\n"
    assert main.main(["tokens", "list"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["users", "delete", "mina"], ["boards", "delete", "BOARD"]])
@pytest.mark.parametrize("answer", [None, "", "n", "perhaps"])
def test_what_erases_asks_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], answer: str | None
) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["users", "disable", "mina"])
    board_id = make_board("Website")
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", _Terminal(answer or "") if answer is not None else io.StringIO("y\n"))

    assert main.main([board_id if word == "BOARD" else word for word in arguments]) == 1

    err = capsys.readouterr().err
    assert err.endswith("changed.\n")
    assert ("--yes" in err) == (answer is None)
    with closing(open_store("sqlite:///tackboard.db")) as store:
        mina = store.read_user("mina")
        assert mina
        assert mina.deleted_at is None
        assert store.read_board(board_id, "ann")


class _Terminal(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_boards_of_all_users_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    board_id = make_board("Website", "Write the copy", "Choose a picture")
    other_id = make_board("Garden")
    with closing(open_store("sqlite:///tackboard.db")) as store:
        view = store.read_board(board_id, "ann")
        assert view
        act = ActionContext(
            "ann", datetime.now(UTC).replace(microsecond=0), IdGenerator(lambda: datetime.now(UTC), os.urandom)
        )
        _, change = members.put(view, "mina", Role.OWNER, act)
        assert change
        store.commit(change)

    assert main.main(["boards", "list"]) == 0

    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == [board_id, other_id]
    assert lines[0][1] == "active"
    assert re.fullmatch("20..-..-..T..:..:..Z", lines[0][2])
    assert lines[0][3:] == ["2 members", "2 cards", "ann,mina", "Website"]
    assert lines[1][3:] == ["1 member", "0 cards", "ann", "Garden"]


def test_a_board_is_deleted_and_can_be_restored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("Owner", "ann")
    board_id = make_board("Website", "Write the copy")
    monkeypatch.setattr(sys, "stdin", _Terminal("y\n"))

    assert main.main(["boards", "delete", board_id]) == 0
    out, err = capsys.readouterr()
    assert err == "Delete the board 'Website' with 1 card? [y/N] "
    assert out == "The board 'Website' is deleted. One of its owners can restore it for 30 days.\n"
    assert main.main(["boards", "delete", board_id, "--yes"]) == 1
    assert capsys.readouterr().err == f"There is no board with the id '{board_id}'.\n"
    assert main.main(["boards", "list"]) == 0
    assert capsys.readouterr().out == ""
    with closing(open_store("sqlite:///tackboard.db")) as store:
        view = store.read_deleted(board_id, "ann")
        assert view
        assert view.board.deleted_at


def test_a_board_that_the_owner_of_the_installation_is_no_member_of_is_exported_and_deleted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["users", "owner", "mina"])
    main.main(["users", "member", "ann"])
    board_id = make_board("Mina's", "Write the copy")
    main.main(["users", "owner", "ann"])
    main.main(["users", "member", "mina"])
    capsys.readouterr()

    assert main.main(["boards", "export", board_id, "board.json"]) == 0
    assert main.main(["export", board_id, "again.json"]) == 0
    first, second = capsys.readouterr().out.split()
    assert first == second
    assert json.loads(Path("board.json").read_text())["exported_by"] == "ann"
    assert main.main(["boards", "delete", board_id, "--yes"]) == 0
