"""Another's provider on loopback, and a person who signs in there."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.live_server import ROOT

SECRET = "s3cret+with/signs"

_MAX_STEPS = 12


@contextmanager
def run_real_provider(redirect_uri: str) -> Iterator[str]:
    """Run oidc-provider, whose clients send the browser back to this address; return its issuer."""
    program = ["node", str(Path(__file__).with_name("oidc_provider.mjs")), redirect_uri]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            issuer = process.stdout.readline().strip()
            assert issuer.startswith("http://"), "oidc-provider did not start."
            yield issuer
        finally:
            process.terminate()


def sign_in_at_provider(authorization_url: str, redirect_uri: str, login: str) -> dict[str, str]:
    """Do what a person does with a browser; return the parameters that the browser comes back with.

    Raises AssertionError if the provider shows an error instead.
    """
    with httpx.Client(headers={"accept": "text/html"}, timeout=30) as browser:
        response = browser.get(authorization_url)
        for _ in range(_MAX_STEPS):
            if response.is_redirect:
                location = urljoin(str(response.request.url), response.headers["location"])
                if location.startswith(redirect_uri):
                    return dict(parse_qsl(urlsplit(location).query))
                response = browser.get(location)
                continue
            assert response.is_success, response.text
            action = re.search(r'<form[^>]*action="([^"]*)"', response.text)
            assert action, response.text
            fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', response.text))
            if 'name="login"' in response.text:
                fields |= {"login": login, "password": "any"}
            response = browser.post(urljoin(str(response.request.url), action[1]), data=fields)
    raise AssertionError("The provider asks without end.")
