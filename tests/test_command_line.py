"""The command line, as a user sees it."""

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from app.settings import SETTINGS
from cli import main
from cli.job_commands import delete_user
from cli.progress import ProgressBar
from cli.user_accounts import UserUnchanged
from kanban import boards, bots, cards, jobs, sign_in, tokens, users
from kanban.changes import ActionContext, Change
from kanban.ids import IdGenerator
from kanban.store import StoredResponse
from kanban.values import JobKind, NewBoard, NewCard, Scope
from stores import open_store
from tests.live_server import LiveServer
from tests.store_in_folder import make_user

ROOT = Path(__file__).parents[1]
TOKEN = re.compile(r"tkb_[0-9A-Za-z]{36}")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test in an empty folder, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


def _get_my_name(server: LiveServer, token: str) -> str:
    request = Request(f"{server.url}v1/users/me", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - http.
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server.
        name: str = json.load(answer)["name"]
        return name


def test_the_first_run_prints_one_address_with_a_valid_token(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        assert server.greeting.count("http://") == 1
        assert server.token
        assert TOKEN.fullmatch(server.token)
        assert _get_my_name(server, server.token) == "Owner"


def test_a_later_run_prints_the_address_without_a_token_and_says_how_to_get_one(tmp_path: Path) -> None:
    LiveServer(tmp_path).stop()

    with LiveServer(tmp_path) as server:
        assert server.token is None
        assert "`make sign-in`" in server.greeting
        assert "`make token`" in server.greeting
        assert not TOKEN.search(server.greeting)


def test_output_that_is_not_a_terminal_gets_no_token_and_the_first_user_to_sign_up_is_not_the_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "run"],
        cwd=ROOT,
        env=os.environ | {"PORT": "0", "STORE_URL": f"sqlite:///{tmp_path}/tackboard.db"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout
        first_line = server.stdout.readline()
        server.terminate()
        output = first_line + server.stdout.read()
    make_user("Mina", "mina")
    main.main(["sign-in"])

    assert "`make sign-in`" in output
    assert not TOKEN.search(output)
    assert "#sign-in=" in capsys.readouterr().out
    with closing(open_store("sqlite:///tackboard.db")) as store:
        owner = store.read_installation_owner()
    assert owner is not None
    assert owner.name == "Owner"


def test_a_stopped_server_has_written_everything_to_the_database_file(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        assert server.token
        assert _get_my_name(server, server.token) == "Owner"

    assert [path.name for path in tmp_path.glob("tackboard.db*")] == ["tackboard.db"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "terminate"])
def test_a_stopped_server_prints_one_line_and_exits_with_success(tmp_path: Path, number: signal.Signals) -> None:
    server = LiveServer(tmp_path)

    server.signal(number)

    assert server.wait() == (0, "Stopped.\n")
    assert not server.errors


def test_a_second_ctrl_c_prints_no_more_than_the_first(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)

    server.signal(signal.SIGINT)
    server.signal(signal.SIGINT)

    assert server.wait() == (0, "Stopped.\n")
    assert not server.errors


def test_a_busy_port_is_reported_in_one_sentence_and_no_store_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        status = main.main(["run"])

    assert status == 1
    assert capsys.readouterr() == ("", f"Port {port} is taken by another program; choose another, such as PORT=8081.\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "9" * 5000),
        ("PUBLIC_URL", "tackboard.example"),
        ("PUBLIC_URL", "https://tackboard.example/?board"),
        ("HOST", "no such host"),
        ("OPEN_SIGNUP", "yes"),
        ("RATE_LIMIT", "often"),
        ("RATE_LIMIT", "1000001"),
        ("CORS_ORIGINS", "*"),
        ("WEBHOOKS_TO_LOOPBACK", "yes"),
        ("TRUSTED_PROXIES", "everyone"),
        ("WEBHOOKS_ALLOW", "everywhere"),
        ("STORE_URL", "carrier-pigeon://loft"),
        ("STORE_URL", "sqlite:///no/such/folder/tackboard.db"),
        ("STORE_URL", "sqlite:///notes.txt"),
        ("STORE_URL", "sqlite:///other.db"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    (tmp_path / "notes.txt").write_text("Milk, bread, and a good long line so that it could be a header.")
    with sqlite3.connect("other.db") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv(name, value)

    status = main.main(["run"])

    out, err = capsys.readouterr()
    assert status == 1
    assert not out
    assert err.endswith(".\n")
    assert err.count("\n") == 1


def test_a_token_is_alone_on_standard_output_even_without_an_owner(capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()

    status = main.main(["token"])

    out, _ = capsys.readouterr()
    assert status == 0
    assert TOKEN.fullmatch(out.removesuffix("\n"))


def test_every_token_without_a_user_belongs_to_the_owner(capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()

    main.main(["token"])
    main.main(["token"])

    store = open_store("sqlite:///tackboard.db")
    owner = store.read_installation_owner()
    assert owner
    assert len(store.page_tokens(owner.id, 50).items) == 2
    store.close()
    assert len(set(TOKEN.findall(capsys.readouterr().out))) == 2


def test_a_user_gets_a_token_that_reads_and_writes(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    make_user("Mina", "mina")
    capsys.readouterr()

    status = main.main(["token", "mina"])

    out, err = capsys.readouterr()
    with closing(open_store("sqlite:///tackboard.db")) as store:
        kept = store.read_token_by_digest(tokens.parse_to_digest(out.strip()) or "")
    assert status == 0
    assert TOKEN.fullmatch(out.removesuffix("\n"))
    assert err == "A new token of the user 'mina', for reading and writing. It is not shown again.\n"
    assert kept
    assert (kept[0].scopes, kept[1].id) == ((Scope.READ, Scope.WRITE), "mina")


@pytest.mark.parametrize(("arguments", "user_id"), [([], "mina"), (["omar"], "omar")])
def test_a_link_signs_the_owner_or_a_user_in(
    capsys: pytest.CaptureFixture[str], arguments: list[str], user_id: str
) -> None:
    make_user("Mina", "mina")
    make_user("Omar", "omar")
    capsys.readouterr()

    status = main.main(["sign-in", *arguments])

    out, err = capsys.readouterr()
    code = out.strip().partition("#sign-in=")[2]
    with closing(open_store("sqlite:///tackboard.db")) as store:
        stored = store.sign_in.read_code(sign_in.parse_to_digest(code))
    assert status == 0
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/#sign-in=[0-9A-Z]{5}(-[0-9A-Z]{5}){4}\n", out)
    assert err.startswith(f"A link that signs {'the user ' if arguments else 'the owner'}")
    assert stored
    assert (stored.user_id, stored.expires_at - stored.created_at) == (user_id, timedelta(hours=1))


def test_a_link_creates_the_owner_of_a_new_store(capsys: pytest.CaptureFixture[str]) -> None:
    open_store("sqlite:///tackboard.db").close()

    status = main.main(["sign-in"])

    with closing(open_store("sqlite:///tackboard.db")) as store:
        owner = store.read_installation_owner()
        assert owner
        assert len(store.sign_in.list_codes(owner.id)) == 1
    assert status == 0
    assert "#sign-in=" in capsys.readouterr().out


def test_a_link_signs_in_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path}/tackboard.db")
    with LiveServer(tmp_path) as server:
        main.main(["sign-in"])
        code = capsys.readouterr().out.strip().partition("#sign-in=")[2]
        body = json.dumps({"code": code, "name": "Laptop"}).encode()
        request = Request(  # noqa: S310 - http.
            f"{server.url}v1/sessions", body, {"Content-Type": "application/json"}
        )
        with urlopen(request) as response:  # noqa: S310 - http.
            token = json.load(response)["token"]

        assert _get_my_name(server, token) == "Owner"


def test_users_are_listed_with_role_last_use_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina Ö.", "mina")
    main.main(["token", "mina"])
    capsys.readouterr()
    with closing(open_store("sqlite:///tackboard.db")) as store:
        (token,) = store.page_tokens("mina", 10).items
        store.record_token_use(token.id, datetime(2026, 11, 20, 14, tzinfo=UTC))

    status = main.main(["users", "list"])

    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert status == 0
    assert lines == [
        ["ann", "active", "owner", "never used", "Owner"],
        ["mina", "active", "member", "2026-11-20T14:00:00Z", "Mina Ö."],
    ]


def test_a_user_becomes_an_owner_and_a_member_again(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")

    assert main.main(["users", "owner", "mina"]) == 0
    assert capsys.readouterr().out == "The user 'mina' is an owner of the installation.\n"
    assert main.main(["users", "member", "ann"]) == 0
    assert capsys.readouterr().out == "The user 'ann' is no owner of the installation.\n"
    assert main.main(["users", "member", "mina"]) == 1
    assert capsys.readouterr().err.startswith("This is the last owner of the installation")
    with closing(open_store("sqlite:///tackboard.db")) as store:
        assert store.read_installation_owner_ids() == ("mina",)


def test_a_bot_is_listed_as_one_ends_with_its_person_and_does_not_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    with closing(open_store("sqlite:///tackboard.db")) as store:
        mina = store.read_user("mina")
        assert mina
        context = ActionContext("mina", datetime(2026, 11, 20, tzinfo=UTC), lambda kind: kind)
        store.commit(bots.create(mina, context, name="Robot", id="robot")[1])

    assert main.main(["sign-in", "robot"]) == 1
    assert capsys.readouterr().err == "The user 'robot' is a bot of 'mina', and can't sign in.\n"
    assert main.main(["users", "owner", "robot"]) == 1
    assert capsys.readouterr().err == "This user is a bot, and can't be an owner of the installation.\n"
    assert main.main(["users", "disable", "mina"]) == 0
    main.main(["users", "list"])
    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert ["robot", "deactivated", "bot", "never used", "Robot"] in lines


def test_a_user_is_deactivated_and_reactivated(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["token", "mina"])
    token_text = capsys.readouterr().out.strip()
    digest = tokens.parse_to_digest(token_text)
    assert digest

    assert main.main(["users", "disable", "mina"]) == 0
    assert capsys.readouterr().out == "The user 'mina' is deactivated.\n"
    assert main.main(["users", "owner", "mina"]) == 1
    assert capsys.readouterr().err.startswith("This user is deactivated")
    assert main.main(["users", "disable", "ann"]) == 1
    assert main.main(["users", "enable", "mina"]) == 0

    with closing(open_store("sqlite:///tackboard.db")) as store:
        token_and_user = store.read_token_by_digest(digest)
        assert token_and_user
        token, user = token_and_user
    assert user.deactivated_at is None
    assert not users.is_valid_since(user, token.created_at)


def test_a_user_is_deleted_after_they_were_deactivated(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")

    assert main.main(["users", "delete", "mina", "--yes"]) == 1
    assert capsys.readouterr().err.startswith("This user is active")
    assert main.main(["users", "disable", "mina"]) == 0
    assert main.main(["users", "delete", "mina", "--yes"]) == 0
    assert capsys.readouterr().out.endswith("The user 'mina' is deleted. Boards that they were removed from: 0.\n")
    main.main(["users", "list"])
    assert "deleted" in capsys.readouterr().out
    assert main.main(["users", "enable", "mina"]) == 1
    assert capsys.readouterr().err == "This user is deleted, and can't come back.\n"


def test_a_deletion_that_is_stopped_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["users", "disable", "mina"])
    steps = iter([KeyboardInterrupt])

    def stop(*_: object) -> None:
        for error in steps:
            raise error

    monkeypatch.setattr(ProgressBar, "__call__", stop)
    capsys.readouterr()

    assert main.main(["users", "delete", "mina", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("Stopped. The job goes on within a minute")
    assert main.main(["jobs"]) == 0
    assert capsys.readouterr().out.split()[1:] == ["delete_user", "mina", "running", "0/?"]
    with closing(open_store("sqlite:///tackboard.db")) as store:
        (job,) = store.jobs.page_unended_jobs(10).items
        store.jobs.write_job(jobs.release(job))
    assert main.main(["users", "delete", "mina", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("The user 'mina' is deleted")
    assert main.main(["jobs"]) == 0
    assert capsys.readouterr().out == ""


def test_a_deletion_that_somebody_else_works_at_is_waited_for() -> None:
    make_user("Owner", "ann")
    make_user("Mina", "mina")
    main.main(["users", "disable", "mina"])
    with closing(open_store("sqlite:///tackboard.db")) as store:
        now = datetime.now(UTC).replace(microsecond=0)
        context = ActionContext("ann", now, IdGenerator(lambda: now, os.urandom))
        mina = store.read_user("mina")
        assert mina
        job = jobs.create(JobKind.DELETE_USER, "mina", context)
        store.commit(Change(creates=(job,)))
        leased = jobs.lease(job, "another", now)
        store.jobs.write_job(leased)

        def cancel(_: float) -> None:
            store.jobs.write_job(jobs.cancel(leased, now))

        with pytest.raises(UserUnchanged, match="is cancelled: the user 'mina' is not deleted"):
            delete_user(store, mina, context, lambda *_: None, cancel)


@pytest.mark.parametrize("command", ["token", "sign-in"])
@pytest.mark.parametrize("user_id", ["minna", "Mina", "", "mína"])
def test_an_unknown_user_is_reported_in_one_sentence(
    capsys: pytest.CaptureFixture[str], command: str, user_id: str
) -> None:
    make_user("Mina", "mina")

    status = main.main([command, user_id])

    assert status == 1
    assert capsys.readouterr() == ("", f"There is no user with the id '{user_id}'.\n")


def test_an_id_that_is_not_valid_text_is_an_unknown_user() -> None:
    make_user("Owner")

    answer = subprocess.run(
        [sys.executable, "-m", "cli", "token", b"m\xffna"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "There is no user with the id 'm\\udcffna'.\n"


@pytest.mark.parametrize(("variables", "arguments"), [([], ""), (["USER=mina"], ' "mina"'), (["USER="], ' ""')])
@pytest.mark.parametrize("name", ["token", "sign-in"])
def test_make_takes_the_user_from_its_arguments_and_not_from_the_shell(
    name: str, variables: list[str], arguments: str
) -> None:
    command = ["make", "--no-print-directory", "--dry-run", name, *variables]

    answer = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "USER": "root"}, capture_output=True, text=True, check=True
    )

    assert answer.stdout.rstrip().endswith(f"-m cli {name}{arguments}")


def test_a_token_issued_while_the_server_runs_works_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path}/tackboard.db")
    with LiveServer(tmp_path) as server:
        main.main(["token"])

        assert _get_my_name(server, capsys.readouterr().out.strip()) == "Owner"


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main.main(["--help"])

    out = capsys.readouterr().out
    assert [setting.name for setting in SETTINGS if f"\n  {setting.name} " not in out] == []
    assert max(map(len, out.partition("environment:")[2].splitlines())) <= 100


@pytest.mark.parametrize(
    "arguments", [["--config", "settings.toml", "digest"], ["digest", "--config", "settings.toml"]]
)
def test_settings_come_from_a_file(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    Path("tackboard.db").rename("other.db")
    Path("settings.toml").write_text('store_url = "sqlite:///other.db"\n')
    capsys.readouterr()

    assert main.main(arguments) == 0
    assert re.fullmatch("[0-9a-f]{64}\n", capsys.readouterr().out)
    assert main.main(["digest"]) == 1
    Path("settings.toml").write_text("colour = 1\n")
    assert main.main(arguments) == 1
    assert capsys.readouterr().err.endswith(
        "settings.toml has 'colour', which is no setting; `tackboard --help` lists them.\n"
    )


def test_a_server_takes_its_settings_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'open_signup = true\nport = 0\nstore_url = "sqlite:///{tmp_path}/named.db"\n')
    with LiveServer(tmp_path, TACKBOARD_CONFIG=str(path), OPEN_SIGNUP="", PORT="", STORE_URL="") as server:
        assert "Sign-up is open" in server.greeting
        assert Path("named.db").exists()


def test_a_backup_made_while_the_server_runs_restores_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveServer(tmp_path) as server:
        monkeypatch.setenv("STORE_URL", server.store_url)
        made = main.main(["backup", "monday.db"])
    monkeypatch.setenv("STORE_URL", "sqlite:///restored.db")
    restored = main.main(["restore", "monday.db"])
    proved = main.main(["digest"])

    digests = capsys.readouterr().out.split()
    assert (made, restored, proved) == (0, 0, 0)
    assert len(digests) == 3
    assert len(set(digests)) == 1


def test_a_restore_over_data_fails_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    main.main(["backup", "monday.db"])
    capsys.readouterr()

    status = main.main(["restore", "monday.db"])

    assert status == 1
    assert capsys.readouterr().err == "The store holds data already: restore into an empty one.\n"


def _delete_a_board(days_ago: int) -> None:
    """Create a board of the owner with three lists and a card, and delete it that many days ago."""
    at = [datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)]
    new_id = IdGenerator(lambda: at[0], os.urandom)
    store = open_store("sqlite:///tackboard.db")
    owner = store.read_installation_owner()
    assert owner
    act = ActionContext(owner.id, at[0], new_id)
    view, made = boards.create(act, NewBoard(name="Garden"))
    store.commit(made)
    store.commit(cards.create(view, act, NewCard(title="Weeds"))[1])
    view = store.read_board(view.board.id, owner.id) or view
    store.commit(boards.delete(view, act))
    store.close()


def test_a_purge_erases_what_was_deleted_long_ago_and_prints_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    _delete_a_board(days_ago=32)
    _delete_a_board(days_ago=30)
    capsys.readouterr()

    first = main.main(["purge"])
    second = main.main(["purge"])

    message, next_message = capsys.readouterr().out.splitlines()
    with closing(sqlite3.connect("tackboard.db")) as database:
        assert database.execute("SELECT count(*) FROM boards").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM cards").fetchone() == (1,)
    assert (first, second) == (0, 0)
    assert re.fullmatch(r"Erased what was deleted more than 31 days ago: [0-9]+ in all\.", message)
    assert next_message == "There is nothing that was deleted more than 31 days ago."


def test_a_purge_erases_responses_of_expired_idempotency_keys() -> None:
    make_user("Owner")
    now = datetime.now(UTC).replace(microsecond=0)
    with closing(open_store("sqlite:///tackboard.db")) as store:
        owner = store.read_installation_owner()
        assert owner
        for number, hours in enumerate([-1] * 30 + [1]):
            expires_at = now + timedelta(hours=hours)
            body = b'{"title":"Nobody else shall read this"}'
            # All are made before any has expired: a write takes some that have along.
            made_at = now - timedelta(days=2)
            store.commit(
                Change(),
                StoredResponse(f"key {number}", owner.id, "create_card", "f", 201, (), body, made_at, expires_at),
            )

    main.main(["purge"])

    with closing(sqlite3.connect("tackboard.db")) as database:
        assert database.execute("SELECT key FROM idempotency_records").fetchall() == [("key 30",)]


def test_a_purge_erases_from_where_tokens_were_used_long_ago(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    main.main(["token"])
    main.main(["token"])
    now = datetime.now(UTC).replace(microsecond=0)
    with closing(open_store("sqlite:///tackboard.db")) as store:
        owner = store.read_installation_owner()
        assert owner
        new, old = store.page_tokens(owner.id, 2).items
        for token, days in ((new, 29), (old, 31)):
            store.record_token_use(token.id, now - timedelta(days=days), "203.0.113.7 curl")
    capsys.readouterr()

    main.main(["purge"])

    with closing(sqlite3.connect("tackboard.db")) as database:
        rows = database.execute("SELECT id, last_used_from FROM tokens ORDER BY id").fetchall()
    assert rows == [(old.id, None), (new.id, "203.0.113.7 curl")]
    assert capsys.readouterr().out == "There is nothing that was deleted more than 31 days ago.\n"


def test_a_stopped_purge_says_so_and_the_next_one_continues(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_user("Owner")
    _delete_a_board(days_ago=32)
    capsys.readouterr()

    with monkeypatch.context() as interrupted:
        interrupted.setattr(main, "_PURGE_BATCH_SIZE", 1)
        interrupted.setattr(ProgressBar, "__call__", _interrupt)
        stopped = main.main(["purge"])
    finished = main.main(["purge"])

    message, next_message = capsys.readouterr().out.splitlines()
    assert (stopped, finished) == (0, 0)
    assert re.fullmatch(r"Stopped\. Erased so far: [0-9]+\. The next purge erases the rest\.", message)
    assert next_message.startswith("Erased ")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _write_trello_export(**fields: object) -> str:
    """Write an export of Trello to a file; return its name."""
    todo = {"id": "5f3c2a1b0000000000000001", "name": "To do"}
    cards = [
        {"id": f"5f3c2a1b{number:016x}", "idList": todo["id"], "name": f"Card {number}", "idMembers": ["x"]}
        for number in range(2, 402)
    ]
    export = {"id": "5f3c2a1b9d8e7f6a5b4c3d2e", "name": "Garden", "lists": [todo], "cards": cards, **fields}
    Path("export.json").write_text(json.dumps(export))
    return "export.json"


def test_an_import_creates_a_board_once_and_reports_what_did_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    capsys.readouterr()

    first = main.main(["import", _write_trello_export()])
    second = main.main(["import", "export.json"])

    first_line, members, again = capsys.readouterr().out.splitlines()
    assert (first, second) == (0, 0)
    assert re.fullmatch(
        r"'Garden' was imported as brd_\w+: 1 lists, 0 labels, 400 cards, 0 checklists, 0 comments\.", first_line
    )
    assert members == "- members: 400 of the cards had members: invite people, then assign them here."
    assert again.endswith("Nothing was changed.")


def test_an_import_shows_a_progress_bar_on_a_terminal() -> None:
    make_user("Owner")
    mine, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))

    subprocess.run(
        [sys.executable, "-m", "cli", "import", _write_trello_export()],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    drawn = os.read(mine, 100_000).decode()
    os.close(terminal)
    os.close(mine)

    assert re.search(r"reading: 100%\|█+\|", drawn)
    assert re.search(r"writing: 100%\|█+\| 8\d\d", drawn)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "export.json is not valid JSON, or is incomplete: choose a file that Tackboard or Trello exported."),
        ("", "export.json is not valid JSON, or is incomplete"),
        ('{"id": "\xff"}', "export.json is no export of a Trello"),
        ('{"lists": [], "cards": [1, 2', "export.json is not valid JSON, or is incomplete"),
        ("[" * 100_000, "export.json is not valid JSON, or is incomplete"),
        ('{"format": "tackboard", "cards": {}}', "This is not a valid export: '"),
        ("[]", "export.json is no export of a Trello board: it lacks an id, lists or cards."),
        ('{"id": "5f3c2a1b9d8e7f6a5b4c3d2e", "lists": [], "cards": []}', "export.json has no lists"),
    ],
)
def test_a_file_that_is_no_export_is_reported_in_one_sentence(
    text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_user("Owner")
    Path("export.json").write_text(text)
    capsys.readouterr()

    status = main.main(["import", "export.json"])

    assert status == 1
    assert capsys.readouterr().err.startswith(message)


def test_an_exported_board_is_equal_after_its_import(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    main.main(["import", _write_trello_export()])
    board = re.search(r"brd_\w+", capsys.readouterr().out)
    assert board

    statuses = [
        main.main(["export", board[0], "board.json"]),
        main.main(["import", "board.json"]),
        main.main(["import", "board.json"]),
    ]
    first, came_back, again = capsys.readouterr().out.splitlines()
    copied = re.search(r"brd_\w+", came_back)
    assert copied
    statuses.append(main.main(["export", copied[0], "copy.json"]))

    assert statuses == [0, 0, 0, 0]
    assert capsys.readouterr().out.strip() == first
    assert again.endswith("Nothing was changed.")


def test_cards_are_exported_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    make_user("Owner")
    main.main(["import", _write_trello_export()])
    board = re.search(r"brd_\w+", capsys.readouterr().out)
    assert board

    assert main.main(["export", board[0], "cards.csv"]) == 0

    # Excel on Windows reads UTF-8 only after a byte order mark.
    raw = Path("cards.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfid,title,")
    assert raw.count(b"\xef\xbb\xbf") == 1
    assert len(raw.splitlines()) == 401


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "This is not a valid export: '/version' "),
        ({"name": "Other"}, "was imported as "),
        ({"cards": []}, "The export was changed or cut off: its digest does not match its contents."),
        ({"next_cursor": "abc"}, "This is not the whole export"),
    ],
)
def test_a_changed_export_is_reported_in_one_sentence(
    change: dict[str, object], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_user("Owner")
    main.main(["import", _write_trello_export()])
    board = re.search(r"brd_\w+", capsys.readouterr().out)
    assert board
    main.main(["export", board[0], "board.json"])
    Path("board.json").write_text(json.dumps(json.loads(Path("board.json").read_text()) | change))

    main.main(["import", "board.json"])

    output = capsys.readouterr()
    assert message in output.out + output.err
