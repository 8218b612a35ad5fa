"""What the configuration of providers may say, and what each mistake is answered with."""

import json
from typing import Any

import pytest

from oidc.errors import InvalidProviders
from oidc.providers import BearerTokens, ClientAuthentication, Provider, SignUp, parse_providers

SCOPES = ("read", "write", "admin")
STAFF = {
    "id": "staff",
    "name": "Our Keycloak",
    "issuer": "https://id.example.test/realms/staff",
    "client_id": "tackboard",
}


def parse(*entries: object) -> tuple[Provider, ...]:
    """Parse a configuration with these providers."""
    return parse_providers(json.dumps(entries), SCOPES)


def test_four_fields_are_enough() -> None:
    assert parse(STAFF) == (Provider("staff", "Our Keycloak", "https://id.example.test/realms/staff", "tackboard"),)
    (provider,) = parse(STAFF)
    assert (provider.client_secret, provider.scopes, provider.sign_up) == (None, "openid profile", SignUp.INVITED)
    assert (provider.bearer, provider.required_claims, provider.is_on_loopback) == (None, {}, False)


def test_null_means_that_a_field_is_missing() -> None:
    optional = set(Provider.__dataclass_fields__) - STAFF.keys()

    assert parse(STAFF | dict.fromkeys(optional)) == parse(STAFF)


def test_every_field_is_read() -> None:
    (provider,) = parse(
        STAFF
        | {
            "client_secret": "s+c r:e%t",
            "client_authentication": "client_secret_post",
            "scopes": "openid profile groups",
            "sign_up": "open",
            "redirect_uris": ["https://board.example.test/", "org.example.app://signed-in"],
            "required_claims": {"hd": "example.test"},
            "bearer": {"audience": "api://tackboard", "scopes": ["write", "read"]},
        }
    )

    assert provider.client_secret == "s+c r:e%t"
    assert provider.client_authentication is ClientAuthentication.POST
    assert provider.scopes == "openid profile groups"
    assert provider.sign_up is SignUp.OPEN
    assert provider.redirect_uris == ("https://board.example.test/", "org.example.app://signed-in")
    assert provider.required_claims == {"hd": "example.test"}
    assert provider.bearer == BearerTokens("api://tackboard", ("read", "write"))


def test_a_secret_is_not_in_the_text_of_a_provider() -> None:
    assert "s3cret" not in repr(parse(STAFF | {"client_secret": "s3cret"}))


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.google.com",
        "https://tenant.eu.auth0.com/",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf",
        "https://id.example.test:8443/realms/a%20b",
        "https://10.0.0.5",
        "http://127.0.0.1:8080",
        "http://localhost/realms/staff",
        "http://[::1]:8080",
    ],
)
def test_an_issuer_stays_as_it_is_written(issuer: str) -> None:
    assert parse(STAFF | {"issuer": issuer})[0].issuer == issuer


def test_there_may_be_none_and_several() -> None:
    assert parse() == ()
    assert [provider.id for provider in parse(STAFF, STAFF | {"id": "b", "issuer": "https://b.example.test"})] == [
        "staff",
        "b",
    ]


LINE = "provider 'staff', field 'name': must be one line that is not blank, of at most 60 characters."
URL = "provider 'staff', field 'issuer': must begin with https://, or with http://127.0.0.1 or http://localhost."
TENANT = "provider 'staff', field 'issuer': must be that of one tenant: put the tenant's id in."

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"id": "Staff"}, "provider 1, field 'id': must be 1 to 32 of a-z, 0-9, _ and -, with a letter or digit first."),
    ({"id": "../x"}, "provider 1, field 'id': must be 1 to 32 of a-z"),
    ({"id": "x" * 33}, "provider 1, field 'id': must be 1 to 32 of a-z"),
    ({"id": None}, "provider 1, field 'id': is missing."),
    ({"id": 5}, "provider 1, field 'id': must be 1 to 32 of a-z"),
    ({"name": ""}, LINE),
    ({"name": "  "}, LINE),
    ({"name": "a\nb"}, LINE),
    ({"name": "a\u2028b"}, LINE),
    ({"name": "x" * 61}, LINE),
    ({"name": None}, "provider 'staff', field 'name': is missing."),
    ({"issuer": "id.example.test"}, URL),
    ({"issuer": "http://id.example.test"}, URL),
    ({"issuer": "http://127.0.0.1.example.test"}, URL),
    ({"issuer": "http://localhost@id.example.test"}, URL),
    ({"issuer": "https://"}, URL),
    ({"issuer": "https://id.example.test:99999"}, URL),
    ({"issuer": "https://user:password@id.example.test"}, URL),
    ({"issuer": "ftp://id.example.test"}, URL),
    ({"issuer": "https://id.example.test/#x"}, URL),
    ({"issuer": "https://id.example.test/?x"}, "field 'issuer': must have neither a query nor a fragment."),
    ({"issuer": "https://íd.example.test"}, "field 'issuer': must be a URL of at most 255 visible ASCII characters."),
    ({"issuer": f"https://{'x' * 255}"}, "field 'issuer': must be a URL of at most 255 visible ASCII characters."),
    (
        {"issuer": "https://id.example.test/.well-known/openid-configuration"},
        "field 'issuer': must end before /.well-known/openid-configuration.",
    ),
    ({"issuer": "https://login.microsoftonline.com/common/v2.0"}, TENANT),
    ({"issuer": "https://login.microsoftonline.com/organizations/v2.0"}, TENANT),
    ({"issuer": "https://login.microsoftonline.com/consumers/v2.0"}, TENANT),
    ({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, TENANT),
    ({"client_id": ""}, "provider 'staff', field 'client_id': must be 1 to 255 ASCII characters."),
    ({"client_id": "x\n"}, "provider 'staff', field 'client_id': must be 1 to 255 ASCII characters."),
    ({"client_secret": ""}, "provider 'staff', field 'client_secret': must be 1 to 1024 ASCII characters."),
    ({"client_secret": 5}, "provider 'staff', field 'client_secret': must be 1 to 1024 ASCII characters."),
    (
        {"client_authentication": "client_secret_post"},
        "provider 'staff', field 'client_authentication': needs a 'client_secret'.",
    ),
    (
        {"client_secret": "x", "client_authentication": "private_key_jwt"},
        "field 'client_authentication': must be client_secret_basic or client_secret_post.",
    ),
    ({"scopes": "profile"}, "provider 'staff', field 'scopes': must have 'openid' among them."),
    ({"scopes": "openid,profile"}, "field 'scopes': must have 'openid' among them."),
    ({"scopes": "openid  profile"}, "field 'scopes': must be scopes with one space between"),
    ({"scopes": ["openid"]}, "field 'scopes': must be scopes with one space between"),
    ({"sign_up": "everyone"}, "provider 'staff', field 'sign_up': must be open or invited or none."),
    ({"sign_up": True}, "provider 'staff', field 'sign_up': must be open or invited or none."),
    ({"redirect_uris": "https://a.example/"}, "field 'redirect_uris': must be an array of addresses, like https://"),
    ({"redirect_uris": ["boards.example.org"]}, "field 'redirect_uris': must be an array of addresses"),
    ({"redirect_uris": ["https://a.example/#x"]}, "field 'redirect_uris': must be an array of addresses"),
    ({"redirect_uris": ["https://a.example/ b"]}, "field 'redirect_uris': must be an array of addresses"),
    ({"required_claims": ["hd"]}, "field 'required_claims': must be an object, with a text for each claim."),
    ({"required_claims": {"hd": True}}, "field 'required_claims': must be an object, with a text for each claim."),
    ({"bearer": True}, "field 'bearer': must be an object with 'audience' and 'scopes'."),
    ({"bearer": {"scopes": ["read"]}}, "provider 'staff', field 'bearer', field 'audience': is missing."),
    ({"bearer": {"audience": "a"}}, "field 'bearer', field 'scopes': must be an array of read, write, admin."),
    ({"bearer": {"audience": "a", "scopes": []}}, "field 'scopes': must be an array of read, write, admin."),
    ({"bearer": {"audience": "a", "scopes": [1]}}, "field 'scopes': must be an array of read, write, admin."),
    ({"bearer": {"audience": "a", "scopes": ["all"]}}, "field 'scopes': may have read, write, admin only."),
    ({"bearer": {"audience": "a", "scopes": ["read"], "x": 1}}, "field 'bearer' has a field that is not known"),
    ({"secret": "x"}, "provider 'staff' has a field that is not known; there are: id, name, issuer, client_id,"),
]


@pytest.mark.parametrize(("changes", "sentence"), MISTAKES)
def test_a_mistake_is_named_with_its_provider_and_field(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidProviders) as error:
        parse(STAFF | changes)

    assert sentence in str(error.value)
    # The value may be a secret that was put into the wrong field.
    for value in changes.values():
        assert type(value) is not str or len(value) < 6 or value in sentence or value not in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the text is not valid JSON: see line 1, column 1."),
        ("[{]", "the text is not valid JSON: see line 1, column 3."),
        ('[{"id": "a", "id": "b"}]', "the text is not valid JSON: an object has the same name twice"),
        ("[" * 100_000, "the text is longer than 65,536 characters."),
        ("[" * 60_000, "the text is not valid JSON"),
        ("{}", "the text must be an array, with an object for each provider."),
        ("null", "the text must be an array"),
        ("[1]", "provider 1 must be an object."),
        (json.dumps([STAFF] * 21), "there may be at most 20 providers."),
        (json.dumps([STAFF, STAFF]), "provider 'staff', field 'id': provider 1 has the same."),
        (json.dumps([STAFF, STAFF | {"id": "b"}]), "provider 'b', field 'issuer': provider 1 has the same."),
    ],
)
def test_a_text_that_is_no_configuration_is_described(text: str, sentence: str) -> None:
    with pytest.raises(InvalidProviders) as error:
        parse_providers(text, SCOPES)

    assert sentence in str(error.value)
