"""No tracked file contains a secret. Examples that look like one are listed here, each with its reason."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kanban.tokens import parse_to_digest

ROOT = Path(__file__).parents[1]

KNOWN_EXAMPLES = {
    "tkb_sBLLj0dhm6gcAqTGfDSwegqmjwczkz2rwUM8": "README and a test of the log show it; its store was deleted.",
    "tkb_ExampleTokenOfMinaNotARealOne01bv12W": "An example of the document, which says so itself.",
    "tkb_ExampleTokenOfTheCINotReal00001gwYHo": "An example of the document, which says so itself.",
    "tkb_ExampleTokenOfTheCIRotated00014MqeLh": "An example of the document, which says so itself.",
    "tkb_ExampleTokenOfASessionNotReal04YJ1xU": "An example of the document, which says so itself.",
    "whsec_RXhhbXBsZVNlY3JldE9mQVdlYmhvb2tOb3RSZWFsMDA=": "An example of the document. Decoded, it says so itself.",
    "password": "Stands for the password in URLs of the documentation and of tests that no message repeats them.",
    "secret": "The password of URLs in tests: a link or a webhook may not have one.",
    "p4ss": "The password of URLs in tests: no message of a command may repeat it.",
}
"""Texts that have the form of a secret and open nothing, each with the reason why it is there."""

PATTERNS = {
    "a token of Tackboard": re.compile(r"tkb_[0-9A-Za-z]{36}(?![0-9A-Za-z])", re.ASCII),
    "the secret of a webhook": re.compile(r"whsec_[0-9A-Za-z+/]{43}="),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a secret key of AWS": re.compile(
        r"aws_?secret_?(?:access_?)?key\W{1,5}([0-9A-Za-z+/]{40})(?![0-9A-Za-z+/=])", re.IGNORECASE
    ),
    "a token of another service": re.compile(
        r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{60,}|pypi-AgE\w{50,}|npm_[0-9A-Za-z]{36}|xox[abpr]-[0-9A-Za-z-]{20,})"
    ),
    "a password in a URL": re.compile(
        r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'`<>{}()\\|]+:([^\s/@\"'`<>{}()\\|$%*]{3,})@[\w\[]"
    ),
}


def find_secrets(text: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like a secret: its kind and its text, of a URL the password alone."""
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            secret = match[match.lastindex or 0]
            if not secret.startswith("tkb_") or parse_to_digest(secret):
                yield kind, secret


def list_tracked_files() -> list[Path]:
    """Return the files that git tracks or is about to track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in run.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def secrets_by_file() -> dict[str, list[tuple[str, str]]]:
    """Return what looks like a secret in each file, with its kind."""
    return {
        str(file.relative_to(ROOT)): [*find_secrets(file.read_bytes().decode("latin-1"))]
        for file in list_tracked_files()
    }


def test_no_file_contains_a_secret(secrets_by_file: dict[str, list[tuple[str, str]]]) -> None:
    unknown = [
        f"{file}: {kind}"
        for file, secrets in secrets_by_file.items()
        for kind, secret in secrets
        if secret not in KNOWN_EXAMPLES
    ]

    assert unknown == []


def test_every_known_example_is_still_somewhere(secrets_by_file: dict[str, list[tuple[str, str]]]) -> None:
    own_file = str(Path(__file__).relative_to(ROOT))
    present = {secret for file, secrets in secrets_by_file.items() if file != own_file for _, secret in secrets}

    assert KNOWN_EXAMPLES.keys() - present == set()


# Put together when the test runs, so that this file has none of them.
@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("the secret of a webhook", ("whsec", "_", "A" * 43, "=")),
        ("a private key", ("-----BEGIN ", "PRIVATE KEY-----")),
        ("a private key", ("-----BEGIN RSA ", "PRIVATE KEY-----")),
        ("a private key", ("-----BEGIN OPENSSH ", "PRIVATE KEY-----")),
        ("an access key of AWS", ("AK", "IA", "A" * 16)),
        ("a secret key of AWS", ("aws_secret_access_key = ", "a/" * 20)),
        ("a secret key of AWS", ('"AWS_SECRET_ACCESS_KEY": "', "a/" * 20, '"')),
        ("a token of another service", ("gh", "p_", "a" * 36)),
        ("a password in a URL", ("postgresql://tackboard:", "hunter2", "@db/tackboard")),
        ("a password in a URL", ("https://mina:", "hunter2", "@[::1]/")),
    ],
)
def test_a_secret_of_each_kind_is_found(kind: str, parts: tuple[str, ...]) -> None:
    ((kind_of_match, _),) = find_secrets(f"x {''.join(parts)} x")

    assert kind_of_match == kind


def test_a_token_is_found_by_its_checksum() -> None:
    example = next(iter(KNOWN_EXAMPLES))
    other = example[:-1] + ("a" if example[-1] != "a" else "b")

    assert [secret for _, secret in find_secrets(f"{example} {other}")] == [example]
