"""What the environment says, and that every way of serving listens to it: the safe defaults hold under all of them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from math import inf
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app import settings
from app.configuration import add_file, read_app_settings, read_slow_seconds
from app.request_limits import Limits
from app.setting_forms import InvalidSetting, Number
from app.settings import SETTINGS
from delivery.addresses import AddressPolicy
from tests.live_server import ROOT, LiveServer
from tools import settings_page

UNDER_WSGI = """
import io, sys
import wsgi
environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/v1/users", "CONTENT_TYPE": "application/json",
           "CONTENT_LENGTH": "16", "wsgi.input": io.BytesIO(b'{"name": "Mina"}'), "wsgi.url_scheme": "http"}
wsgi.application(environ, lambda status, headers: print(status[:3]))
"""

ON_LAMBDA = """
import sys
from lambda_wsgi_handler import handler
from tests.contract.aws_events import http_api_event
event = http_api_event("POST", "/v1/users", '{"name": "Mina"}', {"content-type": "application/json"})
print("\\n", handler(event, None)["statusCode"], sep="")
"""

PROGRAMS = {"wsgi": UNDER_WSGI, "lambda": ON_LAMBDA}


def run_program(folder: Path, program: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program with these settings and no others."""
    variables = {setting.name for setting in SETTINGS}
    environment = {name: value for name, value in os.environ.items() if name not in variables}
    environment |= {"STORE_URL": f"sqlite:///{folder}/tackboard.db", "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize(
    ("settings", "status"), [({}, "401"), ({"OPEN_SIGNUP": ""}, "401"), ({"OPEN_SIGNUP": "1"}, "201")]
)
def test_sign_up_is_closed_by_default(tmp_path: Path, program: str, settings: Mapping[str, str], status: str) -> None:
    assert run_program(tmp_path, program, settings).stdout.split()[-1] == status


def _sign_up(server: LiveServer) -> int:
    headers = {"Content-Type": "application/json"}
    request = Request(f"{server.url}v1/users", b'{"name": "Mina"}', headers)  # noqa: S310 - http.
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server.
            status: int = answer.status
    except HTTPError as error:
        status = error.code
        error.close()
    return status


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - whoever listens there is closed, too.
def test_make_run_is_closed_on_every_address_and_says_how_to_open_it(tmp_path: Path, host: str) -> None:
    with LiveServer(tmp_path, HOST=host, OPEN_SIGNUP="") as server:
        assert _sign_up(server) == 401
        assert "OPEN_SIGNUP=1 make run" in server.greeting


def test_make_run_says_that_it_is_open(tmp_path: Path) -> None:
    with LiveServer(tmp_path, OPEN_SIGNUP="1") as server:
        assert _sign_up(server) == 201
        assert "Sign-up is open: anyone who reaches this server can create a user." in server.greeting


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({}, Limits(3000, 3000, 300)),
        ({"RATE_LIMIT": "", "RATE_LIMIT_PER_TOKEN": "", "RATE_LIMIT_PER_ADDRESS": ""}, Limits(3000, 3000, 300)),
        ({"RATE_LIMIT": "0"}, Limits()),
        ({"RATE_LIMIT": "600"}, Limits(600, 600, 300)),
        ({"RATE_LIMIT_PER_TOKEN": "100", "RATE_LIMIT_PER_ADDRESS": "0"}, Limits(3000, 100, 0)),
        ({"RATE_LIMIT": "0", "RATE_LIMIT_PER_ADDRESS": "60"}, Limits(0, 0, 60)),
    ],
)
def test_users_and_addresses_have_limits_by_default(settings: Mapping[str, str], limits: Limits) -> None:
    assert read_app_settings(settings)["limits"] == limits


INVALID_SETTINGS = [
    ("OPEN_SIGNUP", "yes", "OPEN_SIGNUP is 'yes', but must be 0 or 1."),
    ("INVITATIONS_MAKE_USERS", "no", "INVITATIONS_MAKE_USERS is 'no', but must be 0 or 1."),
    ("RATE_LIMIT", "often", "RATE_LIMIT is 'often', but must be a number from 0 to 1000000."),
    ("RATE_LIMIT_PER_TOKEN", "-1", "RATE_LIMIT_PER_TOKEN is '-1', but must be a number from 0 to 1000000."),
    ("MAX_BOARDS_PER_USER", "many", "MAX_BOARDS_PER_USER is 'many', but must be a number from 0 to 10000."),
    ("MAX_MEMBERS_PER_USER", "1.5", "MAX_MEMBERS_PER_USER is '1.5', but must be a number from 0 to 100000."),
    ("MAX_BYTES_PER_USER", "1 GB", "MAX_BYTES_PER_USER is '1 GB', but must be a number from 0 to 1000000000000."),
    ("RATE_LIMIT_PER_ADDRESS", "1e3", "RATE_LIMIT_PER_ADDRESS is '1e3', but must be a number from 0 to 1000000."),
    ("CORS_ORIGINS", "*", "CORS_ORIGINS has '*', but must name origins as browsers send them"),
    ("CORS_HEADERS", "*", "CORS_HEADERS has '*', but must name headers, like X-Datadog-Trace-Id, with commas between."),
    ("TRUSTED_PROXIES", "nginx", "TRUSTED_PROXIES has 'nginx', but must name networks, like 10.0.0.0/8"),
    ("WEBHOOKS_TO_LOOPBACK", "yes", "WEBHOOKS_TO_LOOPBACK is 'yes', but must be 0 or 1."),
    ("WEBHOOKS_ALLOW", "10.0.0.1/8", "WEBHOOKS_ALLOW has '10.0.0.1/8', but must name networks, like 10.0.0.0/8"),
]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, True), ({"INVITATIONS_MAKE_USERS": "1"}, True), ({"INVITATIONS_MAKE_USERS": "0"}, False)],
)
def test_invitations_make_users_by_default(settings: Mapping[str, str], expected: object) -> None:
    assert read_app_settings(settings)["invitations_make_users"] is expected


@pytest.mark.parametrize(("value", "expected"), [("", None), ("0", None), ("25", 25)])
def test_users_may_take_any_amount_by_default(value: str, expected: int | None) -> None:
    names = ("MAX_BOARDS_PER_USER", "MAX_MEMBERS_PER_USER", "MAX_BYTES_PER_USER")
    quotas = read_app_settings(dict.fromkeys(names, value))["quotas"]

    assert quotas == (expected, expected, expected)


def test_only_the_proxies_that_are_named_are_trusted() -> None:
    headers = {"x-forwarded-for": "198.51.100.1"}
    for environment, address in ({}, "127.0.0.1"), ({"TRUSTED_PROXIES": "127.0.0.1, ::1,"}, "198.51.100.1"):
        proxies = read_app_settings(environment)["trusted_proxies"]
        assert proxies.find_client("127.0.0.1", headers, is_https=False).address == address


def test_pages_of_other_origins_may_send_the_headers_that_are_named() -> None:
    assert read_app_settings({})["cors_headers"] == ()
    assert read_app_settings({"CORS_HEADERS": "X-Trace-Id, b3,"})["cors_headers"] == ("X-Trace-Id", "b3")


INVALID_LOG_SETTINGS = [
    ("LOG_LEVEL", "debug", "LOG_LEVEL is 'debug', but must be info or warning or error."),
    ("SLOW_REQUEST_MS", "1s", "SLOW_REQUEST_MS is '1s', but must be a number from 0 to 600000."),
]


@pytest.mark.parametrize(("name", "value", "sentence"), INVALID_LOG_SETTINGS)
def test_an_invalid_setting_of_the_log_stops_the_start_with_one_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    refused = run_program(tmp_path, UNDER_WSGI, {name: value})

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].endswith(sentence)


@pytest.mark.parametrize(("value", "seconds"), [("", 1.0), ("250", 0.25), ("0", inf)])
def test_a_request_is_slow_after_a_second_by_default(value: str, seconds: float) -> None:
    assert read_slow_seconds({"SLOW_REQUEST_MS": value}) == seconds


def test_webhooks_deliver_to_public_addresses_unless_others_are_named() -> None:
    assert read_app_settings({})["webhook_policy"] is None
    settings = {"WEBHOOKS_TO_LOOPBACK": "1", "WEBHOOKS_ALLOW": "10.0.0.0/8, fd12::/16,"}
    networks = (ip_network("10.0.0.0/8"), ip_network("fd12::/16"))
    assert read_app_settings(settings)["webhook_policy"] == AddressPolicy(networks, permits_loopback=True)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize(("name", "value", "sentence"), INVALID_SETTINGS)
def test_an_invalid_setting_stops_every_start_with_one_sentence(
    tmp_path: Path, program: str, name: str, value: str, sentence: str
) -> None:
    refused = run_program(tmp_path, program, {name: value})

    assert refused.returncode == 1
    assert sentence in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("PORT", "65536"), ("CORS_ORIGINS", "localhost")])
def test_the_mock_server_rejects_invalid_settings_in_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    refused = run_program(
        tmp_path, "import sys; from tools.openapi import mock_server; sys.exit(mock_server.main())", {name: value}
    )

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(name)
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "example.org",
        "https://example.org/",
        "https://example.org/app",
        "https://Example.org",
        "https://*.example.org",
        "https://example.org:443",
        "http://example.org:80",
        "https://user@example.org",
        "https://exämple.org",
        "https://a.example https://b.example",
    ],
)
def test_an_origin_that_no_browser_sends_is_rejected(origin: str) -> None:
    with pytest.raises(InvalidSetting, match="CORS_ORIGINS has"):
        read_app_settings({"CORS_ORIGINS": f"https://good.example,{origin}"})


def test_origins_are_accepted_as_browsers_send_them() -> None:
    origins = "https://app.example.org, http://localhost:5173,http://[::1]:8080,capacitor://localhost,"

    assert read_app_settings({"CORS_ORIGINS": origins})["origins"] == (
        "https://app.example.org",
        "http://localhost:5173",
        "http://[::1]:8080",
        "capacitor://localhost",
    )


@pytest.mark.parametrize("text", ["-1", "1.5", " 1", "1_000", "٣", "9" * 5000, "8001"])
def test_a_number_has_only_digits_and_is_within_its_bounds(text: str) -> None:
    with pytest.raises(InvalidSetting, match="PORT is '"):
        Number(8000).parse("PORT", text)


def test_a_deployment_has_the_same_defaults() -> None:
    template = (ROOT / "serverless.yml").read_text()

    assert "openSignup: '0'\n" in template
    assert "maxBoardsPerUser: '0'\n" in template
    assert "maxMembersPerUser: '0'\n" in template
    assert "maxBytesPerUser: '0'\n" in template
    limits = read_app_settings({})["limits"]
    assert f"rateLimit: '{limits.per_user}'\n" in template
    assert "rateLimitPerToken: ''\n" in template
    assert f"rateLimitPerAddress: '{limits.per_address}'\n" in template


def test_the_page_of_settings_is_up_to_date() -> None:
    assert settings_page.PAGE.read_text(encoding="utf-8") == settings_page.build_page()


def test_every_default_and_example_is_a_value_of_its_form() -> None:
    # Neither a database nor a file is read for that.
    settings = [setting for setting in SETTINGS if setting.example and not setting.secret]

    assert [setting.name for setting in settings if not setting.read({setting.name: setting.example})] == []
    assert [setting.name for setting in SETTINGS if setting.read({}) != setting.default] == []


def test_a_setting_has_one_name_and_a_meaning() -> None:
    names = [setting.name for setting in SETTINGS]

    assert len(names) == len({*names})
    assert all(setting.meaning and setting.default_description for setting in SETTINGS)


def write_settings_file(tmp_path: Path, text: str, mode: int = 0o600) -> Mapping[str, str]:
    """Write a file of settings; return an environment that names it."""
    path = tmp_path / "tackboard.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return {"TACKBOARD_CONFIG": str(path)}


def test_settings_can_be_in_a_file(tmp_path: Path) -> None:
    environment = add_file(write_settings_file(tmp_path, settings_page.EXAMPLE))

    app_settings = read_app_settings(environment)
    assert settings.STORE_URL.read(environment) == "sqlite:////var/lib/tackboard/tackboard.db"
    assert settings.PORT.read(environment) == 8080
    assert app_settings["invitations_make_users"] is False
    assert [(provider.id, provider.client_secret) for provider in app_settings["providers"]] == [
        ("keycloak", "the secret that Keycloak shows")
    ]
    client = app_settings["trusted_proxies"].find_client("::1", {"x-forwarded-for": "198.51.100.1"}, is_https=False)
    assert client.address == "198.51.100.1"


def test_what_the_environment_has_counts_more_than_the_file(tmp_path: Path) -> None:
    named = write_settings_file(tmp_path, 'rate_limit = 60\nopen_signup = true\njoining = "direct"\n')

    limits = read_app_settings(add_file({**named, "RATE_LIMIT": "70", "JOINING": ""}))

    assert limits["limits"].per_user == 70
    assert (limits["open_signup"], limits["joining_takes_consent"]) == (True, False)


INVALID_FILES = [
    ("port = \n", "is not valid TOML: see line 1, column 8."),
    ('port = 8080\nstore_url = "sqlite', "is not valid TOML: see its end."),
    ("a = 1\na = 2\n", "is not valid TOML: see line 2, column 6."),
    ("rate_limits = 5", "has 'rate_limits', which is no setting: write rate_limit, if you mean that."),
    ("RATE_LIMIT = 5", "has 'RATE_LIMIT', which is no setting: write rate_limit, if you mean that."),
    ("[server]\nport = 1", "has 'server', which is no setting; `tackboard --help` lists them."),
    ('tackboard_config = "x"', "has 'tackboard_config', which is no setting; `tackboard --help` lists them."),
    ('port = "8080"', ": port must be a number from 0 to 65535."),
    ("port = 65536", ": PORT is '65536', but must be a number from 0 to 65535."),
    ("port = true", ": port must be a number from 0 to 65535."),
    ("port = -1", ": PORT is '-1', but must be a number from 0 to 65535."),
    ("open_signup = 1", ": open_signup must be true or false."),
    ("host = 1", ": host must be a text in quotes."),
    ('joining = "maybe"', ": JOINING is 'maybe', but must be consent or direct."),
    ("joining = 1", ': joining must be "consent" or "direct".'),
    ('cors_origins = "https://app.example.org"', ": cors_origins must be an array of texts."),
    ('cors_origins = ["https://a.example,https://b.example"]', ": cors_origins must be an array of texts."),
    ("webhooks_allow = [10]", ": webhooks_allow must be an array of texts."),
    ('webhooks_allow = ["nowhere"]', ": WEBHOOKS_ALLOW has 'nowhere', but must name networks, like 10.0.0.0/8"),
    ('oidc_providers = "[]"', ": oidc_providers must be a table for each provider: [[oidc_providers]]."),
    ("oidc_providers = [1]", ": oidc_providers must be a table for each provider: [[oidc_providers]]."),
    ("[[oidc_providers]]\nid = 2026-12-01", ": oidc_providers must be a table for each provider: [[oidc_providers]]."),
    ('[[oidc_providers]]\nid = "a"', ": OIDC_PROVIDERS: provider 'a', field 'name': is missing."),
]


@pytest.mark.parametrize(("text", "sentence"), INVALID_FILES)
def test_a_mistake_in_a_file_of_settings_is_named_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    named = write_settings_file(tmp_path, text)

    with pytest.raises(InvalidSetting) as raised:
        add_file(named)

    message = str(raised.value)
    assert message.startswith(f"{named['TACKBOARD_CONFIG']}{sentence if sentence[0] == ':' else f' {sentence}'}")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["nothing.toml", "", "a\0b"])
def test_a_file_of_settings_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe")

    for path in (tmp_path / name, tmp_path / "noise.toml"):
        with pytest.raises(InvalidSetting, match=r"The file of settings '.*' can't be read: .*\.\Z"):
            add_file({"TACKBOARD_CONFIG": str(path)})


SECRETS = [
    ('store_url = "postgresql+psycopg://ann:p4ss@db/tackboard"', "store_url"),
    ('store_url = "postgresql+psycopg://ann@db/tackboard?password=p4ss"', "store_url"),
    (settings_page.EXAMPLE, "oidc_providers"),
]


@pytest.mark.parametrize(("text", "key"), SECRETS)
def test_a_secret_in_a_file_that_everybody_can_read_stops_the_start(tmp_path: Path, text: str, key: str) -> None:
    named = write_settings_file(tmp_path, text, 0o644)
    path = named["TACKBOARD_CONFIG"]

    with pytest.raises(InvalidSetting) as raised:
        add_file(named)

    assert str(raised.value) == (
        f"{path} holds a secret ({key}), but every user of this machine can read it:"
        f" take that right away with `chmod o-r {path}`."
    )
    Path(path).chmod(0o640)
    assert add_file(named)


def test_a_file_without_a_secret_may_be_public(tmp_path: Path) -> None:
    for url in ("sqlite:////var/lib/tackboard.db", "postgresql+psycopg://ann@db/tackboard", "dynamodb://tackboard"):
        assert add_file(write_settings_file(tmp_path, f'store_url = "{url}"', 0o644))["STORE_URL"] == url


@pytest.mark.parametrize(
    ("text", "status"), [("open_signup = true", "201"), ("open_signup = false", "401"), ("", "401")]
)
def test_another_server_reads_the_file(tmp_path: Path, text: str, status: str) -> None:
    assert run_program(tmp_path, UNDER_WSGI, write_settings_file(tmp_path, text)).stdout.split()[-1] == status
