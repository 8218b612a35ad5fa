"""Signatures are those of Standard Webhooks: its own library verifies them, and its published example agrees."""

import secrets
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from delivery.signatures import build_headers, generate_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"title": "é", "seq": 9007199254740993}'.encode()


def test_the_published_example_has_the_published_signature() -> None:
    headers = build_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_library_of_standard_webhooks_verifies_what_we_sign() -> None:
    for _ in range(50):
        secret = generate_secret(secrets.token_bytes)
        headers = build_headers("whk_1-1-2", int(time.time()), BODY, [secret])

        assert Webhook(secret).verify(BODY, headers) == {"title": "é", "seq": 9007199254740993}


def test_while_two_secrets_are_valid_a_receiver_may_know_either() -> None:
    old, new, other = (generate_secret(secrets.token_bytes) for _ in range(3))
    headers = build_headers("whk_1-1-2", int(time.time()), BODY, [new, old])

    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


@pytest.mark.parametrize("change", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_that_is_signed_can_be_changed(change: str) -> None:
    headers = build_headers("whk_1-1-2", int(time.time()), BODY, [SECRET])
    body = BODY + b" " if change == "body" else BODY
    if change != "body":
        headers[change] = {"webhook-id": "whk_1-1-3", "webhook-timestamp": str(int(time.time()) - 1)}[change]

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("secret", ["whsec_a-b_" + "A" * 30, "whsec_AAA", "whsec_ü"])
def test_a_malformed_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match=r"whsec_|ASCII"):
        build_headers("whk_1-1-2", 0, BODY, [secret])
