"""Tag a release, and write the page that announces it: `make tag`, after what `make release` has made is committed.

The page is the section of CHANGELOG.md about the version of the document, and the checksums of the files in `dist/`. It
is the message of the tag, too. Nothing leaves this machine.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

_PAGE_NAME = "release-{version}.md"


class CannotTag(Exception):
    """Raised when a release can't be tagged; the message says what to do first."""


def read_version(root: Path) -> str:
    """Return the version of the document."""
    document = json.loads((root / "spec" / "dist" / "openapi.json").read_text(encoding="utf-8"))
    return str(document["info"]["version"])


def read_notes(root: Path, version: str) -> str:
    """Return what the changelog says about a version. Raises CannotTag if it has no date yet."""
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(version)} - (.*)\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    if section is None:
        raise CannotTag(f"CHANGELOG.md has no section about {version}: write one.")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", section[1]):
        raise CannotTag(f"The section about {version} in CHANGELOG.md has no date: write '## {version} - YYYY-MM-DD'.")
    return section[2].strip()


def build_page(root: Path, version: str) -> str:
    """Return the page of a release in Markdown. Raises CannotTag."""
    files = [file for file in sorted((root / "dist").glob("*")) if file.name != _PAGE_NAME.format(version=version)]
    if not files:
        raise CannotTag("There are no files in dist/: run `make wheel`.")
    checksums = "\n".join(f"| `{file.name}` | `{hashlib.sha256(file.read_bytes()).hexdigest()}` |" for file in files)
    return (
        f"# Tackboard {version}\n\n{read_notes(root, version)}\n\n"
        "## Upgrade\n\n`docs/backups.md` says how to back up before an upgrade, and how to go back; "
        "`docs/stores-postgresql.md` how to replace several processes one by one.\n\n"
        f"## Files\n\n| File | SHA-256 |\n|---|---|\n{checksums}\n"
    )


def tag_release(root: Path) -> tuple[str, Path]:
    """Write the page of the release and tag the present commit; return the tag and the page. Raises CannotTag."""
    version = read_version(root)
    tag = f"v{version}"
    if _run_git(root, "tag", "--list", tag):
        raise CannotTag(f"The tag {tag} exists already: a release is tagged once.")
    if _run_git(root, "status", "--porcelain"):
        raise CannotTag("There are changes that are not committed: commit what `make release` has made.")
    for path in (f"spec/released/{version}.json", f"tests/golden/{version}"):
        if not (root / path).exists():
            raise CannotTag(f"There is no {path}: run `make release`, and commit what it makes.")
    page = root / "dist" / _PAGE_NAME.format(version=version)
    page.write_text(build_page(root, version), encoding="utf-8")
    # Lines that begin with '#' are headings, no comments.
    _run_git(root, "tag", "--annotate", "--cleanup=verbatim", f"--file={page}", tag)
    return tag, page


def _run_git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotTag(f"git can't do it: {done.stderr.strip() or 'it gives no reason'}")
    return done.stdout.strip()


def main() -> int:
    """Tag the release; return the exit status."""
    try:
        tag, page = tag_release(ROOT)
    except CannotTag as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{tag} is tagged, and its page is {page.relative_to(ROOT)}. To publish both: `git push origin {tag}`, and")
    print(f"`gh release create {tag} --notes-file {page.relative_to(ROOT)} dist/*` or the form of your forge.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
