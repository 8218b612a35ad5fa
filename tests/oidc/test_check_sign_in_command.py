"""What `check` says of the configuration of sign-in, and how every start reads it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from app import setting_forms
from app.setting_forms import InvalidSetting
from app.settings import OIDC_PROVIDERS, SETTINGS
from cli import main
from oidc.providers import Provider
from stores import open_store
from tests.engines.scripted_server import respond
from tests.oidc.scripted_provider import WELL_KNOWN, ScriptedProvider, respond_with_json

STAFF = {"id": "staff", "name": "Staff", "issuer": "https://id.example.test", "client_id": "tackboard"}


def read(text: str) -> tuple[Provider, ...]:
    """Return the providers of a setting."""
    return OIDC_PROVIDERS.read({"OIDC_PROVIDERS": text})


def check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *entries: dict[str, Any]
) -> tuple[int, str, str]:
    """Run the command; return its status, what it printed of sign-in without the column of the subject, and stderr."""
    monkeypatch.setenv("OIDC_PROVIDERS", json.dumps(entries) if entries else "")
    status = main.main(["check"])
    out, err = capsys.readouterr()
    lines = (re.split(" {2,}", line, maxsplit=2) for line in out.splitlines())
    return status, "".join(f"{level} {text}\n" for level, subject, text in lines if subject == "sign-in"), err


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a store, which is checked as well."""
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    open_store("sqlite:///tackboard.db").close()


def test_a_good_configuration_is_right(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.reactions["/token"] = respond_with_json({"error": "invalid_grant"}, "400 Bad Request")

    status, out, err = check(monkeypatch, capsys, STAFF | {"issuer": provider.issuer})

    assert (status, err) == (0, "")
    assert out == "ok staff: Everything that can be checked without signing in is right.\n"


def test_each_fault_is_a_line_and_the_command_fails(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.reactions["/token"] = respond_with_json({"error": "invalid_client"}, "401 Unauthorized")
    provider.metadata["response_types_supported"] = ["none"]
    other = STAFF | {"id": "other", "issuer": "http://127.0.0.1:1", "name": "Other"}

    status, out, err = check(monkeypatch, capsys, STAFF | {"issuer": provider.issuer, "client_secret": "s3cret"}, other)

    assert status == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["error staff", "error staff", "error other"]
    assert out.splitlines()[2].startswith(
        "error other: The provider's configuration can't be reached: the connection failed"
    )
    assert err == "3 to correct.\n"
    assert "s3cret" not in out


def test_a_secret_in_a_response_is_not_printed(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.reactions[WELL_KNOWN] = respond(b"s3cret", "418 s3cret", "Content-Type: s3cret/s3cret\r\n")

    _, out, err = check(monkeypatch, capsys, STAFF | {"issuer": provider.issuer})

    assert "s3cret" not in out + err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "OIDC_PROVIDERS: the text is not valid JSON: see line 1, column 2."),
        ("@missing.json", "OIDC_PROVIDERS names a file that can't be read: no such file or directory."),
        ("@", "OIDC_PROVIDERS names a file that can't be read: is a directory."),
    ],
)
def test_what_can_not_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    monkeypatch.setenv("OIDC_PROVIDERS", text)

    assert main.main(["check"]) == 1
    assert capsys.readouterr() == (f"error    settings   {sentence}\n", "1 to correct.\n")


@pytest.mark.parametrize("text", ["", "[]"])
def test_no_provider_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("OIDC_PROVIDERS", text)

    assert main.main(["check"]) == 0
    assert "Users sign in with links, codes and tokens: there are no providers." in capsys.readouterr().out


def test_the_setting_may_name_a_file(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text(json.dumps([STAFF | {"name": "Équipe"}], ensure_ascii=False), encoding="utf-8")

    (provider,) = read(f"@{path}")

    assert provider.name == "Équipe"
    assert read(path.read_text(encoding="utf-8")) == (provider,)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_bytes(os.urandom(64) + b"\xff")

    for text in (f"@{path}", "@a\0b"):
        with pytest.raises(InvalidSetting, match="names a file that can't be read: it is not UTF-8"):
            read(text)


def test_missing_packages_are_named_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("jwt", "cryptography"):
        monkeypatch.setattr(setting_forms, "find_spec", lambda name, missing=missing: None if name == missing else name)
        with pytest.raises(InvalidSetting, match=r"install 'tackboard-server\[sign-in\]'"):
            read(json.dumps([STAFF]))
        assert read("") == ()
