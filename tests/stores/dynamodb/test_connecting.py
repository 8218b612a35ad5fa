"""The choice of a client, its credentials, and how little of the SDK our own client loads."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.session import Session

from stores import StoreOpenError, open_store
from stores.dynamodb import connecting
from stores.dynamodb.calls import CallNotPossible
from stores.dynamodb.connecting import connect, find_url
from stores.dynamodb.connections import ConnectionPool
from stores.dynamodb.http_client import HttpClient
from stores.dynamodb.sdk_client import SdkClient, create_sdk_client
from stores.dynamodb.signing import Credentials, RequestSigner
from tests.engines.scripted_server import Reaction, ScriptedServer, respond

ROOT = Path(__file__).parents[3]

LAMBDA = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "tackboard-dev-api",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_REGION": "eu-central-1",
    "AWS_SECRET_ACCESS_KEY": "a secret",
    "AWS_SESSION_TOKEN": "a session's token",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "_X_AMZN_TRACE_ID": "Root=1-2-3",
}
"""The variables that Lambda sets for a function."""

SNAPSTART = {name: value for name, value in LAMBDA.items() if "KEY" not in name and "TOKEN" not in name} | {
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a token for credentials",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2021-06-01/credentials",
}
"""The same with SnapStart: credentials come from an address, because those of a snapshot would expire."""

FOR_SDK: dict[str, tuple[dict[str, str], str]] = {
    "web identity": ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}, "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "a container's file": ({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"}, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    "FIPS": ({"AWS_USE_FIPS_ENDPOINT": "true"}, "AWS_USE_FIPS_ENDPOINT"),
    "dual stack": ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "AWS_USE_DUALSTACK_ENDPOINT"),
    "another endpoint": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
    "an endpoint by service": ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL_DYNAMODB"),
    "an account": ({"AWS_ACCOUNT_ID": "123456789012"}, "AWS_ACCOUNT_ID"),
    "what nobody knows yet": ({"AWS_NEW_SETTING": "x"}, "AWS_NEW_SETTING"),
    "a proxy": ({"HTTPS_PROXY": "http://user:password@proxy.example:3128"}, "a proxy"),
    "a proxy in lower case": ({"https_proxy": "http://proxy.example:3128"}, "a proxy"),
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin without variables of AWS, and with a home without a configuration."""
    for name in [*os.environ]:
        if name.startswith(("AWS_", "REQUESTS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def set_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


# Which client


@pytest.mark.parametrize("variables", [LAMBDA, SNAPSTART], ids=["Lambda", "SnapStart"])
def test_a_lambda_function_uses_our_client(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    set_environment(monkeypatch, variables)

    assert isinstance(connect("eu-central-1", None), HttpClient)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8000", "http://[::1]:8000/", "https://dynamodb.example"])
def test_a_server_named_by_its_url_needs_no_credentials(endpoint: str) -> None:
    assert isinstance(connect("us-east-1", endpoint), HttpClient)


@pytest.mark.parametrize("name", FOR_SDK)
def test_what_lambda_does_not_set_is_left_to_the_sdk(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    variables, reason = FOR_SDK[name]
    set_environment(monkeypatch, LAMBDA | variables)
    caplog.set_level(logging.INFO, logger="stores")

    assert isinstance(connect("eu-central-1", None), SdkClient)

    assert caplog.messages == [f"DynamoDB is called through the AWS SDK, because of {reason}."]
    assert not any(value in caplog.text for value in variables.values() if len(value) > 4)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AWS_PROFILE": "none"}, "The config profile (none) could not be found"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_the_sdk_cannot_use_either_is_reported(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], reason: str
) -> None:
    set_environment(monkeypatch, LAMBDA | variables)

    with pytest.raises(StoreOpenError) as error:
        open_store("dynamodb://tackboard?region=eu-central-1")

    assert str(error.value) == f"The DynamoDB table 'tackboard' cannot be used: {reason}; check the credentials."


def test_no_credentials_at_all_are_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {"AWS_EC2_METADATA_DISABLED": "true"})

    with pytest.raises(CallNotPossible, match="Unable to locate credentials"):
        connect("eu-central-1", None)("get_item", {})


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_configuration_in_the_home_is_left_to_the_sdk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str
) -> None:
    set_environment(monkeypatch, LAMBDA)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / file).write_text("[default]\nuse_fips_endpoint = true\n")

    assert isinstance(connect("eu-central-1", None), SdkClient)


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_configuration_that_is_named_is_left_to_the_sdk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    set_environment(monkeypatch, LAMBDA | {variable: str(tmp_path / "file")})
    assert isinstance(connect("eu-central-1", None), HttpClient)
    (tmp_path / "file").write_text("[default]\n")

    assert isinstance(connect("eu-central-1", None), SdkClient)


@pytest.mark.parametrize("no_proxy", ["*", "amazonaws.com", "127.0.0.1,dynamodb.eu-central-1.amazonaws.com"])
def test_a_proxy_that_is_not_for_this_server_changes_nothing(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    set_environment(monkeypatch, LAMBDA | {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": no_proxy})

    assert isinstance(connect("eu-central-1", None), HttpClient)


def test_a_proxy_for_another_scheme_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, LAMBDA | {"HTTP_PROXY": "http://proxy.example:3128"})

    assert isinstance(connect("eu-central-1", None), HttpClient)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "fips-us-east-1"])
def test_regions_with_addresses_of_their_own_are_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    set_environment(monkeypatch, LAMBDA)

    assert isinstance(connect(region, None), SdkClient)


def test_every_region_has_the_address_that_the_sdk_knows() -> None:
    regions = Session().get_available_regions("dynamodb")
    sdk_clients = {region: create_sdk_client(region, None, Credentials("a", "b", None)) for region in regions}

    assert len(regions) > 20
    assert {region: find_url(region, None) for region in regions} == {
        region: sdk_client.meta.endpoint_url for region, sdk_client in sdk_clients.items()
    }
    assert all(connecting.REGION.fullmatch(region) for region in regions)


@pytest.mark.parametrize("endpoint", ["http://user:password@127.0.0.1:9", "http://127.0.0.1:9/path"])
def test_an_endpoint_that_is_more_than_a_server_is_left_to_the_sdk(endpoint: str) -> None:
    assert isinstance(connect("us-east-1", endpoint), SdkClient)


@pytest.mark.parametrize("endpoint", ["127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(StoreOpenError) as error:
        open_store(f"dynamodb://tackboard?endpoint={endpoint}")

    assert str(error.value) == f"STORE_URL has an invalid endpoint: {endpoint}."


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_certificates_that_cannot_be_read_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    set_environment(monkeypatch, LAMBDA | {"AWS_CA_BUNDLE": str(bundle)})

    with pytest.raises(StoreOpenError) as error:
        open_store("dynamodb://tackboard?region=eu-central-1")

    assert str(error.value) == (
        f"The DynamoDB table 'tackboard' cannot be used: the certificates in {bundle} cannot be read; "
        f"check AWS_CA_BUNDLE."
    )


# Credentials


@pytest.fixture
def dynamodb() -> Iterator[ScriptedServer]:
    """Run a server that answers every call with nothing."""
    with ScriptedServer(respond(b"{}")).run() as server:
        yield server


def list_access_keys(server: ScriptedServer) -> list[tuple[str, str | None]]:
    """Return the access key and the session token of each request."""
    return [
        (
            request.headers["authorization"].partition("Credential=")[2].partition("/")[0],
            request.headers.get("x-amz-security-token"),
        )
        for request in server.requests
    ]


def test_credentials_of_the_environment_are_read_again_after_a_snapshot(
    monkeypatch: pytest.MonkeyPatch, dynamodb: ScriptedServer
) -> None:
    set_environment(monkeypatch, LAMBDA)
    with closing(connect("eu-central-1", dynamodb.url)) as client:
        client("get_item", {})
        set_environment(monkeypatch, {"AWS_ACCESS_KEY_ID": "AKIDRESTORED", "AWS_SESSION_TOKEN": "another"})
        client("get_item", {})
        client.close()
        client("get_item", {})

    assert list_access_keys(dynamodb) == [
        ("AKIDEXAMPLE", "a session's token"),
        ("AKIDEXAMPLE", "a session's token"),
        ("AKIDRESTORED", "another"),
    ]


def test_a_profile_has_the_credentials_that_the_sdk_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dynamodb: ScriptedServer
) -> None:
    (tmp_path / ".aws").mkdir()
    profile = "[tackboard]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n"
    (tmp_path / ".aws" / "credentials").write_text(profile)
    set_environment(monkeypatch, {"AWS_PROFILE": "tackboard", "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url})

    with closing(connect("eu-central-1", None)) as client:
        client("get_item", {})

    assert list_access_keys(dynamodb) == [("AKIDPROFILE", None)]


def issue_credentials(number: int, *, expires_in: timedelta) -> Reaction:
    """Return what Lambda answers when a function with SnapStart asks for credentials."""
    expiration = (datetime.now(UTC) + expires_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"AccessKeyId": f"AKID{number}", "SecretAccessKey": "s", "Token": f"t{number}", "Expiration": expiration}
    return respond(json.dumps(body).encode())


def test_a_function_with_snapstart_asks_for_credentials_when_they_expire(
    monkeypatch: pytest.MonkeyPatch, dynamodb: ScriptedServer
) -> None:
    issued = [
        issue_credentials(1, expires_in=timedelta(seconds=5)),
        issue_credentials(2, expires_in=timedelta(hours=6)),
    ]
    with ScriptedServer(*issued).run() as issuer:
        set_environment(monkeypatch, SNAPSTART | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{issuer.url}/credentials"})
        signer = RequestSigner(dynamodb.url, "eu-central-1", connecting.load_credentials)
        with closing(HttpClient(ConnectionPool(dynamodb.url, connecting.find_ca_bundle()), signer)) as client:
            for _ in range(3):
                client("get_item", {})

    assert list_access_keys(dynamodb) == [("AKID2", "t2")] * 3
    assert [request.headers["authorization"] for request in issuer.requests] == ["a token for credentials"] * 2
    assert {request.start for request in issuer.requests} == {"GET /credentials HTTP/1.1"}


def test_credentials_that_nobody_issues_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(respond(b"{}", "403 Forbidden")).run() as issuer:
        set_environment(monkeypatch, SNAPSTART | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{issuer.url}/credentials"})

        with pytest.raises(CallNotPossible, match="Error when retrieving credentials"):
            connect("eu-central-1", None)("get_item", {})


# What is loaded


def run(*lines: str) -> list[str]:
    """Run lines in a new Python process and return what they print, by words."""
    process = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return process.stdout.split()


LOAD_SIGNER = "import sys; from stores.dynamodb.signing import load_signer; signer = load_signer()"


def test_the_signer_is_loaded_without_the_client_of_the_sdk() -> None:
    loaded = run(
        LOAD_SIGNER,
        "print(*{name.partition('.')[0] for name in sys.modules} & {'botocore', 'dateutil', 'six', 'urllib3'})",
        "print(signer.__name__, signer.__module__)",
    )

    assert loaded == ["SigV4Auth", "botocore.auth"]


def test_the_sdk_is_complete_after_the_signer_was_loaded() -> None:
    assert run(
        LOAD_SIGNER,
        "import botocore.auth, botocore.awsrequest, botocore.session, dateutil.parser, urllib3, xml.etree.ElementTree",
        "client = botocore.session.Session().create_client('dynamodb', 'eu-central-1')",
        "print(botocore.auth.SigV4Auth is signer, client.meta.endpoint_url)",
        "print(dateutil.parser.parse('2026-01-02').year, xml.etree.ElementTree.fromstring('<a/>').tag)",
    ) == ["False", "https://dynamodb.eu-central-1.amazonaws.com", "2026", "a"]


def test_a_signer_of_the_sdk_that_is_loaded_already_is_used() -> None:
    assert run("import botocore.session, botocore.auth", LOAD_SIGNER, "print(botocore.auth.SigV4Auth is signer)") == [
        "True"
    ]


def test_a_signer_that_needs_what_was_left_out_is_imported_as_usual() -> None:
    # As if a later SDK began to use one of the modules when it signs.
    assert run(
        "from stores.dynamodb import signing",
        "signing._UNUSED += ('hashlib', 'hmac')",
        "import sys; [sys.modules.pop(name, None) for name in ('hashlib', 'hmac')]",
        "signer = signing.load_signer()",
        "import botocore.auth",
        "print(botocore.auth.SigV4Auth is signer)",
    ) == ["True"]
