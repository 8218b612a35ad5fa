"""Events that AWS sends to a Lambda function, according to its documentation: API Gateway and load balancers.

They differ: an HTTP API (payload 2.0) sends the query unchanged and cookies in a list of their own; a REST API
(payload 1.0) sends the query decoded and every header twice; a load balancer sends the query encoded. None of them
guarantees a Content-Length.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

Event = dict[str, Any]

GATEWAY_HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
CUSTOM_DOMAIN = "api.example.org"


def http_api_event(
    method: str,
    target: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    host: str = CUSTOM_DOMAIN,
    stage: str = "$default",
) -> Event:
    """Build an event of an HTTP API, payload format 2.0. A named stage is the start of the path."""
    path, _, query = target.partition("?")
    sent = {**_forwarding_headers(host), **{name.lower(): value for name, value in (headers or {}).items()}}
    cookies = sent.pop("cookie", "")
    event: Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "20/Nov/2026:14:00:00 +0000",
            "timeEpoch": 1795183200000,
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = {
            name: ",".join(texts) for name, texts in _group_values(parse_qsl(query, keep_blank_values=True)).items()
        }
    if cookies:
        event["cookies"] = cookies.split("; ")
    if body is not None:
        event |= _body(body)
    return event


def rest_api_event(
    method: str,
    target: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    host: str = CUSTOM_DOMAIN,
    stage: str = "prod",
) -> Event:
    """Build an event of a REST API, payload format 1.0. The stage is in the context, not in the path."""
    path, _, query = target.partition("?")
    sent = {
        **{name.title(): value for name, value in _forwarding_headers(host).items()},
        **(headers or {}),
    }
    texts = _group_values(parse_qsl(query, keep_blank_values=True))
    return {
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in texts.items()} or None,
        "multiValueQueryStringParameters": texts or None,
        "pathParameters": {"proxy": unquote(path).removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "agent"},
            "path": f"/{stage}{unquote(path)}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": None,
        "isBase64Encoded": False,
        **(_body(body) if body is not None else {}),
    }


def load_balancer_event(
    method: str,
    target: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    host: str = CUSTOM_DOMAIN,
) -> Event:
    """Build an event of an application load balancer whose target group has multi-value headers."""
    path, _, query = target.partition("?")
    sent = {**_forwarding_headers(host), **{name.lower(): value for name, value in (headers or {}).items()}}
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return {
        "requestContext": {
            "elb": {
                "targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/6d0ecf831eec"
            }
        },
        "httpMethod": method,
        "path": path,
        "multiValueQueryStringParameters": _group_values([(name, value) for name, _, value in pairs]),
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "body": "",
        "isBase64Encoded": False,
        **(_body(body) if body is not None else {}),
    }


EVENT_BUILDERS = {"HTTP API": http_api_event, "REST API": rest_api_event, "load balancer": load_balancer_event}
"""The builders of all event formats, by name."""


def response_headers(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a Lambda response of either format, by lower-case name."""
    single: dict[str, str] = response.get("headers", {})
    several: dict[str, list[str]] = response.get("multiValueHeaders", {})
    return {name.lower(): value for name, value in single.items()} | {
        name.lower(): ", ".join(values) for name, values in several.items()
    }


def _forwarding_headers(host: str) -> dict[str, str]:
    return {
        "host": host,
        "user-agent": "agent",
        "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }


def _body(body: str | bytes) -> Event:
    if isinstance(body, bytes):
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": body}


def _group_values(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped
