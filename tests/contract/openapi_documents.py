"""Builders of small OpenAPI documents for tests."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

PROBLEM_JSON = "application/problem+json"

INTEGER: Schema = {"type": "integer", "minimum": -1000, "maximum": 1000}
STRING: Schema = {"type": "string", "maxLength": 100}
OBJECT: Schema = {"type": "object"}

PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": STRING,
        "title": STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "maxLength": 40},
        "detail": {"type": "string", "maxLength": 1000},
        "errors": {"type": "array", "maxItems": 10, "items": OBJECT},
    },
}

PROBLEM_STATUSES = (400, 401, 403, 404, 406, 409, 412, 415, 422, 428, 503)
"""The statuses of the problems that every operation declares."""


def document(
    paths: Mapping[str, Any],
    *,
    schemas: Mapping[str, Schema] | None = None,
    **top: Any,
) -> Schema:
    """Build a document with these paths below /v1. By default every operation needs a bearer token."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "/v1"}],
        "security": [{"bearer": []}],
        "paths": dict(paths),
        "components": {
            "schemas": {"Problem": PROBLEM, **(schemas or {})},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        **top,
    }


def operation(
    operation_id: str,
    *parameters: Schema,
    body: Schema | None = None,
    responses: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Schema:
    """Build an operation with these responses, by default 200 with any object, and problems."""
    result: Schema = {
        "operationId": operation_id,
        "responses": {**problems(*PROBLEM_STATUSES), **(responses or {"200": response_object(OBJECT)})},
        **fields,
    }
    if parameters:
        result["parameters"] = list(parameters)
    if body is not None:
        result["requestBody"] = body
    return result


def problems(*statuses: int) -> Schema:
    """Build problem responses. A 401 declares its challenge."""
    result = {
        str(status): response_object({"$ref": "#/components/schemas/Problem"}, PROBLEM_JSON) for status in statuses
    }
    if "401" in result:
        result["401"]["headers"] = {"WWW-Authenticate": {"schema": STRING, "required": True}}
    return result


def response_object(schema: Schema, *media: str, headers: Schema | None = None) -> Schema:
    """Build a response whose body matches a schema, as JSON or in these media types."""
    result: Schema = {"description": "An answer.", "content": _content_object(schema, media)}
    if headers:
        result["headers"] = headers
    return result


def json_body(schema: Schema, *media: str, required: bool = True) -> Schema:
    """Build a request body that matches a schema, as JSON or in these media types."""
    result: Schema = {"content": _content_object(schema, media)}
    return {"required": True, **result} if required else result


def parameter(name: str, location: str, schema: Schema, *, required: bool = False, **fields: Any) -> Schema:
    """Build a parameter. A path parameter is always required."""
    return {"name": name, "in": location, "schema": schema, "required": required or location == "path", **fields}


def object_schema(properties: Mapping[str, Schema], *required: str) -> Schema:
    """Build the schema of an object with these properties and no others."""
    result: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**result, "required": list(required)} if required else result


def _content_object(schema: Schema, media: tuple[str, ...]) -> Schema:
    return {kind: {"schema": schema} for kind in media or ("application/json",)}
