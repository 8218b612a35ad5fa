"""What a browser keeps while its user is at the provider."""

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from oidc.attempts import MAX_ATTEMPT_CHARACTERS, begin_attempt, open_attempt, seal_attempt
from oidc.errors import SignInRejected

SECRET = b"s" * 32
NOW = 1_800_000_000.7
RANDOM_BYTES = random.Random(7).randbytes  # noqa: S311 - workers must collect the same tests.
ATTEMPT = begin_attempt("staff", "https://board.example.test/", RANDOM_BYTES, NOW)
SEALED = seal_attempt(ATTEMPT, SECRET)


def test_an_attempt_is_opened_for_ten_minutes() -> None:
    assert open_attempt(SEALED, "staff", ATTEMPT.state, SECRET, NOW + 599) == ATTEMPT
    with pytest.raises(SignInRejected, match="expired"):
        open_attempt(SEALED, "staff", ATTEMPT.state, SECRET, NOW + 600)


def test_every_attempt_has_secrets_of_its_own() -> None:
    other = begin_attempt("staff", "https://board.example.test/", RANDOM_BYTES, NOW)

    secrets = {getattr(attempt, name) for attempt in (ATTEMPT, other) for name in ("state", "nonce", "verifier")}
    assert len(secrets) == 6
    assert {len(secret) for secret in secrets} == {43}


def test_the_challenge_is_the_hash_of_the_verifier() -> None:
    # The example of RFC 7636, appendix B.
    attempt = replace(ATTEMPT, verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert attempt.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("state", ["", "x", ATTEMPT.nonce, f"{ATTEMPT.state}x", ATTEMPT.state[:-1], "ü"])
def test_the_state_of_another_browser_is_rejected(state: str) -> None:
    with pytest.raises(SignInRejected, match="state belongs to another"):
        open_attempt(SEALED, "staff", state, SECRET, NOW)


def test_an_attempt_belongs_to_one_provider_and_one_installation() -> None:
    with pytest.raises(SignInRejected, match="another provider"):
        open_attempt(SEALED, "other", ATTEMPT.state, SECRET, NOW)
    with pytest.raises(SignInRejected, match="none of this installation"):
        open_attempt(SEALED, "staff", ATTEMPT.state, b"t" * 32, NOW)


def _change_byte(text: str, index: int) -> str:
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[index] ^= 1
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "change",
    [
        *(lambda text, index=index: _change_byte(text, index) for index in (0, 31, 32, 60, -1)),
        lambda text: text[:-4],
        lambda text: f"{text}AAAA",
        lambda _: "",
        lambda _: "x",
        lambda _: "é",
        lambda _: "A" * 43,
        lambda _: "A" * 44,
        lambda text: text.replace("-", "+").replace("_", "/") + "+",
    ],
)
def test_what_this_installation_has_not_signed_is_rejected(change: Callable[[str], str]) -> None:
    with pytest.raises(SignInRejected, match="none of this installation"):
        open_attempt(change(SEALED), "staff", ATTEMPT.state, SECRET, NOW)


def test_the_longest_address_fits() -> None:
    attempt = begin_attempt("s" * 32, f"https://board.example.test/{'x' * 2000}", RANDOM_BYTES, NOW)

    assert len(seal_attempt(attempt, SECRET)) <= MAX_ATTEMPT_CHARACTERS
