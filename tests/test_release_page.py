"""A release is tagged with the page that announces it, and only when everything of it is there."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tools import release_page
from tools.release_page import CannotTag, tag_release

CHANGELOG = """\
# Changelog

## 1.4.0 - not released yet

### Added

- Later.

## 1.3.0 - 2026-12-01

### Added

- Cards can fly ([how](docs/guides.md#fly)).

### Fixed

- `#tags` in texts.

## 1.2.0 - 2026-11-21

- Before.
"""


def run_git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Mina", "-c", "user.email=mina@example.com", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository in which everything of 1.3.0 is committed."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "Mina")
        monkeypatch.setenv(f"{name}_EMAIL", "mina@example.com")
    for folder in ("spec/dist", "spec/released", "tests/golden/1.3.0", "dist"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "spec/dist/openapi.json").write_text(json.dumps({"info": {"version": "1.3.0"}}))
    (tmp_path / "spec/released/1.3.0.json").write_text("{}")
    (tmp_path / "tests/golden/1.3.0/export.json").write_text("{}")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".gitignore").write_text("dist/\n")
    (tmp_path / "dist/tackboard_server-1.3.0-py3-none-any.whl").write_bytes(b"wheel")
    run_git(tmp_path, "init", "--quiet")
    run_git(tmp_path, "add", "--force", "spec", "tests", "CHANGELOG.md", ".gitignore")
    run_git(tmp_path, "commit", "--quiet", "--message", "Release 1.3.0")
    return tmp_path


def test_a_release_is_tagged_with_its_page(checkout: Path) -> None:
    tag, page = tag_release(checkout)

    text = page.read_text()
    assert tag == "v1.3.0"
    assert text.startswith(
        "# Tackboard 1.3.0\n\n### Added\n\n- Cards can fly ([how](docs/guides.md#fly)).\n\n### Fixed"
    )
    assert "Later" not in text
    assert "Before" not in text
    assert f"| `tackboard_server-1.3.0-py3-none-any.whl` | `{hashlib.sha256(b'wheel').hexdigest()}` |" in text
    assert run_git(checkout, "tag", "--list", "--format=%(contents)", tag).strip() == text.strip()
    with pytest.raises(CannotTag, match=r"v1\.3\.0 exists already"):
        tag_release(checkout)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("spec/released/1.3.0.json", "There is no spec/released/1.3.0.json: run `make release`"),
        ("tests/golden/1.3.0/export.json", "There is no tests/golden/1.3.0: run `make release`"),
    ],
)
def test_what_is_missing_is_named(checkout: Path, path: str, message: str) -> None:
    run_git(checkout, "rm", "--quiet", path)
    run_git(checkout, "commit", "--quiet", "--message", "Undo")

    with pytest.raises(CannotTag, match=message):
        tag_release(checkout)


def test_a_release_has_a_date_and_files_and_nothing_uncommitted(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(CHANGELOG.replace("2026-12-01", "not released yet"))
    with pytest.raises(CannotTag, match="not committed"):
        tag_release(checkout)
    run_git(checkout, "commit", "--quiet", "--all", "--message", "Undo")
    with pytest.raises(CannotTag, match=r"has no date: write '## 1\.3\.0 - YYYY-MM-DD'"):
        tag_release(checkout)
    changelog.write_text("# Changelog\n")
    run_git(checkout, "commit", "--quiet", "--all", "--message", "Undo")
    with pytest.raises(CannotTag, match=r"no section about 1\.3\.0"):
        tag_release(checkout)
    (checkout / "dist/tackboard_server-1.3.0-py3-none-any.whl").unlink()
    with pytest.raises(CannotTag, match="no files in dist/"):
        tag_release(checkout)
    assert not run_git(checkout, "tag", "--list")


def test_the_command_fails_with_one_sentence(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release_page, "ROOT", checkout)

    statuses = [release_page.main(), release_page.main()]

    output, errors = capsys.readouterr()
    assert statuses == [0, 1]
    assert output.startswith("v1.3.0 is tagged, and its page is dist/release-1.3.0.md.")
    assert errors == "The tag v1.3.0 exists already: a release is tagged once.\n"
