"""Tokens that no verifier should accept as an ID token of this sign-in, each with a name that says why."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.oidc.signing import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    build_claims,
    build_header,
    build_public_key,
    encode,
    encode_as_pem,
    encode_number,
    get_rsa_key,
    sign,
)

YEAR = 31_536_000

Token = Callable[[], str]


def _evil(head: dict[str, Any]) -> Token:
    return lambda: sign(header=head, key=get_rsa_key("evil"))


def _with_text(text: str) -> Token:
    """Return a token whose payload ends with this text, as it is."""
    return lambda: sign(json.dumps(build_claims())[:-1].encode() + text.encode("utf-8", "surrogateescape") + b"}")


def _with_changed_parts(change: Callable[[str, str, str], str]) -> Token:
    def build() -> str:
        head, body, signature = sign().split(".")
        return change(head, body, signature)

    return build


def _change_last_bits(text: str) -> str:
    """Return the same bytes in another spelling: the last character has bits to spare."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def _decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _with_der_signature(token: str) -> str:
    """Return a token of ES256 with its signature as certificates have it."""
    message, _, signature = token.rpartition(".")
    raw = _decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    return f"{message}.{encode(der)}"


def _modulus() -> int:
    return get_rsa_key().public_key().public_numbers().n


HEADERS: dict[str, Token] = {
    "algorithm none": lambda: sign(header=build_header(alg="none"), algorithm="none") + "AA",
    "algorithm none, without a signature": lambda: sign(header=build_header(alg="none"), algorithm="none"),
    "algorithm none in mixed case": lambda: sign(header=build_header(alg="nOnE")),
    "algorithm none, but signed": lambda: sign(header=build_header(alg="none")),
    "HS256 with the public key as PEM": lambda: sign(
        header=build_header(alg="HS256"), key=encode_as_pem(get_rsa_key()), algorithm="HS256"
    ),
    "HS256 with the modulus": lambda: sign(
        header=build_header(alg="HS256"), key=_modulus().to_bytes(256, "big"), algorithm="HS256"
    ),
    "HS256 with an empty key": lambda: sign(header=build_header(alg="HS256"), key=b"", algorithm="HS256"),
    "HS256 with the client secret": lambda: sign(header=build_header(alg="HS256"), key=b"secret", algorithm="HS256"),
    "PS256": lambda: sign(header=build_header(alg="PS256"), algorithm="PS256"),
    "RS512": lambda: sign(header=build_header(alg="RS512"), algorithm="RS512"),
    "signed with SHA-512, but called RS256": lambda: sign(header=build_header(), algorithm="RS512"),
    "ES256 with the RSA key's id": lambda: sign(header=build_header(alg="ES256"), algorithm="ES256"),
    "RS256 with the EC key's id": lambda: sign(header=build_header(kid="b")),
    "EdDSA with the EC key's id": lambda: sign(header=build_header(alg="EdDSA", kid="b"), algorithm="EdDSA"),
    "algorithm in an array": lambda: sign(header=build_header(alg=["RS256"])),
    "algorithm missing": lambda: sign(header=build_header(alg=...)),
    "algorithm null": lambda: sign(header=build_header(alg=None)),
    "algorithm in lower case": lambda: sign(header=build_header(alg="rs256")),
    "algorithm twice": lambda: sign(header=b'{"alg":"none","kid":"a","alg":"RS256"}'),
    "algorithm twice, once escaped": lambda: sign(header=b'{"alg":"none","kid":"a","\\u0061lg":"RS256"}'),
    "key id unknown": lambda: sign(header=build_header(kid="zz")),
    "key id is a path": _evil(build_header(kid="../../../../dev/null")),
    "key id is SQL": _evil(build_header(kid="x' UNION SELECT 'secret'--")),
    "key id is a command": _evil(build_header(kid="a; touch /tmp/x")),
    "key id is a URL": _evil(build_header(kid="http://evil.example.test/key")),
    "key id is an object": lambda: sign(header=build_header(kid={"a": 1})),
    "key id is null": lambda: sign(header=build_header(kid=None)),
    "key id is a number": lambda: sign(header=build_header(kid=1)),
    "key id is empty": lambda: sign(header=build_header(kid="")),
    "key id of 300 characters": lambda: sign(header=build_header(kid="a" * 300)),
    "key id in other letters": lambda: sign(header=build_header(kid="а")),  # noqa: RUF001 - a Cyrillic letter.
    "key id with a NUL": lambda: sign(header=build_header(kid="a\0")),
    "another key with the right id": _evil(build_header()),
    "another key, offered in the header": _evil(build_header(jwk=build_public_key(get_rsa_key("evil"), "a"))),
    "another key, offered by a URL": _evil(build_header(jku="https://evil.example.test/keys")),
    "another key, offered by a certificate's URL": _evil(build_header(x5u="https://evil.example.test/key.pem")),
    "another key, offered by a certificate": _evil(build_header(x5c=["MIIB"])),
    "critical header that is unknown": lambda: sign(header=build_header(crit=["exp2"], exp2=1)),
    "critical header that is empty": lambda: sign(header=build_header(crit=[])),
    "payload not encoded": lambda: sign(header=build_header(crit=["b64"], b64=False)),
    "payload not encoded, but not critical": lambda: sign(header=build_header(b64=False)),
    "compressed": lambda: sign(header=build_header(zip="DEF")),
    "a token within": lambda: sign(header=build_header(cty="JWT")),
    "an access token": lambda: sign(header=build_header(typ="at+jwt")),
    "an access token by its media type": lambda: sign(header=build_header(typ="application/at+jwt")),
    "a logout token": lambda: sign(header=build_header(typ="logout+jwt")),
    "a type that is no text": lambda: sign(header=build_header(typ=1)),
    "header is an array": lambda: sign(header=b'["RS256"]'),
    "header with a byte order mark": lambda: sign(header=b"\xef\xbb\xbf" + json.dumps(build_header()).encode()),
    "header followed by another object": lambda: sign(header=json.dumps(build_header()).encode() + b"{}"),
}

CLAIMS: dict[str, dict[str, Any] | Token] = {
    "subject twice": _with_text(',"sub":"root"'),
    "audience twice": _with_text(f',"aud":"{CLIENT_ID}"'),
    "name twice within": _with_text(',"address":{"a":1,"a":2}'),
    "issuer with a slash more": {"iss": f"{ISSUER}/"},
    "issuer in upper case": {"iss": ISSUER.upper()},
    "issuer without its scheme": {"iss": ISSUER.removeprefix("https://")},
    "issuer by http": {"iss": ISSUER.replace("https", "http")},
    "issuer missing": {"iss": ...},
    "issuer in an array": {"iss": [ISSUER]},
    "issuer in other letters": {"iss": ISSUER.replace("e", "е")},  # noqa: RUF001 - a Cyrillic letter.
    "issuer of another realm": {"iss": ISSUER.replace("staff", "guests")},
    "audience is another client": {"aud": "other"},
    "audience missing": {"aud": ...},
    "audience null": {"aud": None},
    "audience empty": {"aud": []},
    "audience is an empty text": {"aud": ""},
    "audience with the client as its beginning": {"aud": f"{CLIENT_ID}2"},
    "audience in upper case": {"aud": CLIENT_ID.upper()},
    "audience with a number": {"aud": [CLIENT_ID, 5]},
    "audience is an object": {"aud": {CLIENT_ID: 1}},
    "audience in an array of arrays": {"aud": [[CLIENT_ID]]},
    "two audiences without a party": {"aud": [CLIENT_ID, "other"]},
    "two audiences, issued to the other": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "one audience, issued to another": {"azp": "other"},
    "issued to null": {"azp": None},
    "subject missing": {"sub": ...},
    "subject null": {"sub": None},
    "subject empty": {"sub": ""},
    "subject is a number": {"sub": 5},
    "subject of 256 characters": {"sub": "x" * 256},
    "subject with a NUL": {"sub": "mi\0na"},
    "subject with a line break": {"sub": "mina\n"},
    "subject with a mark of direction": {"sub": "mi\u202ena"},
    "subject with a space of no width": {"sub": "mina\u200b"},
    "subject with half a character": {"sub": "\ud800"},
    "expired a minute ago": {"exp": NOW - 60},
    "expired and issued long ago": {"exp": NOW - 3600, "iat": NOW - 7200},
    "expires before it was issued": {"exp": NOW + 10, "iat": NOW + 20},
    "end missing": {"exp": ...},
    "end is a text": {"exp": str(NOW + 300)},
    "end is true": {"exp": True},
    "end is null": {"exp": None},
    "end in an array": {"exp": [NOW + 300]},
    "end in 60 years": {"exp": NOW + 60 * YEAR},
    "end in 32 days": {"exp": NOW + 32 * 86_400},
    "end is 10^30": {"exp": 10**30},
    "end is 10^16": {"exp": 10**16},
    "end is negative": {"exp": -1},
    "end is infinite": lambda: sign(json.dumps(build_claims(exp=float("inf"))).encode()),
    "end is NaN": lambda: sign(json.dumps(build_claims(exp=float("nan"))).encode()),
    "end is 1e400": lambda: sign(json.dumps(build_claims()).replace(str(NOW + 300), "1e400").encode()),
    "end has 5,000 digits": lambda: sign(json.dumps(build_claims()).replace(str(NOW + 300), "9" * 5000).encode()),
    "not valid for two minutes": {"nbf": NOW + 120},
    "beginning is a text": {"nbf": "x"},
    "beginning is null": {"nbf": None},
    "issued in two minutes": {"iat": NOW + 120},
    "issue missing": {"iat": ...},
    "issue is a text": {"iat": str(NOW)},
    "issued ten years ago": {"iat": NOW - 10 * YEAR},
    "issued in year 0": {"iat": 0},
    "nonce of another sign-in": {"nonce": NONCE[::-1]},
    "nonce missing": {"nonce": ...},
    "nonce null": {"nonce": None},
    "nonce empty": {"nonce": ""},
    "nonce in an array": {"nonce": [NONCE]},
    "nonce in other letters": {"nonce": f"{NONCE}é"},
    "an access token of Keycloak": {"typ": "Bearer"},
    "a refresh token of Keycloak": {"typ": "Refresh"},
    "an access token of Cognito": {"token_use": "access"},
    "a message that a session has ended": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
}

FORMS: dict[str, Token] = {
    "payload is an array": lambda: sign(b"[1]"),
    "payload is empty": lambda: sign(b" "),
    "payload is null": lambda: sign(b"null"),
    "payload nested 5,000 deep": lambda: sign(b"[" * 5000 + b"]" * 5000),
    "a claim nested 5,000 deep": _with_text(',"x":' + "[" * 5000 + "]" * 5000),
    "payload not in UTF-8": _with_text(',"x":"\udcff"'),
    "payload in UTF-16": lambda: sign(json.dumps(build_claims()).encode("utf-16")),
    "payload with a byte order mark": lambda: sign(b"\xef\xbb\xbf" + json.dumps(build_claims()).encode()),
    "half a character in a claim": _with_text(r',"x":"\ud800"'),
    "half a character in a claim's name": _with_text(r',"\udfff":1'),
    "payload with a comment": _with_text("/**/"),
    "payload with a comma at its end": _with_text(","),
    "payload with text after it": lambda: sign(json.dumps(build_claims()).encode() + b"x"),
    "payload with a NUL after it": lambda: sign(json.dumps(build_claims()).encode() + b"\0"),
    "signature empty": _with_changed_parts(lambda head, body, _: f"{head}.{body}."),
    "signature missing": _with_changed_parts(lambda head, body, _: f"{head}.{body}"),
    "signature padded": lambda: sign() + "==",
    "signature with a line break": lambda: sign() + "\n",
    "signature after a space": lambda: " " + sign(),
    "signature in the alphabet of files": _with_changed_parts(
        lambda head, body, signature: f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}+"
    ),
    "signature in another spelling": _with_changed_parts(
        lambda head, body, signature: f"{head}.{body}.{_change_last_bits(signature)}"
    ),
    "signature of another token": _with_changed_parts(
        lambda head, body, _: f"{head}.{body}.{sign(build_claims(sub='other')).rpartition('.')[2]}"
    ),
    "signature of zeros": _with_changed_parts(lambda head, body, _: f"{head}.{body}.{encode(bytes(256))}"),
    "signature is one": _with_changed_parts(lambda head, body, _: f"{head}.{body}.{encode_number(1)}"),
    "signature with a zero before it": _with_changed_parts(
        lambda head, body, signature: f"{head}.{body}.{encode(bytes(1) + _decode(signature))}"
    ),
    "signature and the modulus": _with_changed_parts(
        lambda head, body, signature: (
            f"{head}.{body}.{encode_number(int.from_bytes(_decode(signature), 'big') + _modulus())}"
        )
    ),
    "ES256 signature of zeros": lambda: sign(algorithm="ES256").rpartition(".")[0] + "." + encode(bytes(64)),
    "ES256 signature in DER": lambda: _with_der_signature(sign(algorithm="ES256")),
    "ES256 signature cut by a byte": lambda: sign(algorithm="ES256")[:-2],
    "payload with a character between": _with_changed_parts(
        lambda head, body, signature: f"{head}.{body[:4]}!{body[4:]}.{signature}"
    ),
    "payload padded": _with_changed_parts(lambda head, body, signature: f"{head}.{body}=.{signature}"),
    "payload changed": _with_changed_parts(
        lambda head, _, signature: f"{head}.{encode(json.dumps(build_claims(sub='root')).encode())}.{signature}"
    ),
    "payload of no bytes": _with_changed_parts(lambda head, _, signature: f"{head}..{signature}"),
    "four parts": lambda: sign() + ".x",
    "five parts": lambda: "a.b.c.d.e",
    "encrypted": lambda: encode(b'{"alg":"RSA-OAEP","enc":"A256GCM"}') + ".a.b.c.d",
    "as a JSON object": lambda: json.dumps({"payload": "e30", "signatures": []}),
    "nothing": lambda: "",
    "dots": lambda: "..",
    "of a megabyte": lambda: sign(build_claims(x="y" * 1_000_000)),
    "of 17,000 characters": lambda: sign(build_claims(x="y" * 12_000)),
    "in letters beyond ASCII": lambda: sign().replace("e", "е"),  # noqa: RUF001 - a Cyrillic letter.
    "with digits of another script": lambda: sign() + "٣",
}


def _with_claims(changes: dict[str, Any] | Token) -> Token:
    return changes if callable(changes) else lambda: sign(build_claims(**changes))


HOSTILE_TOKENS: dict[str, Token] = {
    **{f"header: {name}": token for name, token in HEADERS.items()},
    **{f"claims: {name}": _with_claims(changes) for name, changes in CLAIMS.items()},
    **{f"form: {name}": token for name, token in FORMS.items()},
}
"""Every token by its name, as a function that signs it."""
