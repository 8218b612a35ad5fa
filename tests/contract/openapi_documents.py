"""Small OpenAPI documents, each as large as one test needs."""

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
"""The statuses that every operation here declares as problem documents."""


def document(
    paths: Mapping[str, Any],
    *,
    schemas: Mapping[str, Schema] | None = None,
    **top: Any,
) -> Schema:
    """A document with these paths below /v1, every operation behind a bearer token unless it says otherwise."""
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
    **more: Any,
) -> Schema:
    """An operation that answers 200 with any object, or these responses, or a problem."""
    made: Schema = {
        "operationId": operation_id,
        "responses": {**problems(*PROBLEM_STATUSES), **(responses or {"200": response(OBJECT)})},
        **more,
    }
    if parameters:
        made["parameters"] = list(parameters)
    if body is not None:
        made["requestBody"] = body
    return made


def problems(*statuses: int) -> Schema:
    """Problem responses; a 401 names the challenge that it carries."""
    made = {str(status): response({"$ref": "#/components/schemas/Problem"}, PROBLEM_JSON) for status in statuses}
    if "401" in made:
        made["401"]["headers"] = {"WWW-Authenticate": {"schema": STRING, "required": True}}
    return made


def response(schema: Schema, *media: str, headers: Schema | None = None) -> Schema:
    """A response whose body keeps a schema, as JSON or as these media types."""
    made: Schema = {"description": "An answer.", "content": _content_object(schema, media)}
    if headers:
        made["headers"] = headers
    return made


def json_body(schema: Schema, *media: str, required: bool = True) -> Schema:
    """A request body that keeps a schema, as JSON or as these media types."""
    return {"required": required, "content": _content_object(schema, media)}


def parameter(name: str, location: str, schema: Schema, *, required: bool = False, **more: Any) -> Schema:
    """A parameter; one in the path is always required."""
    return {"name": name, "in": location, "schema": schema, "required": required or location == "path", **more}


def object_schema(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object that has these properties and no others."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _content_object(schema: Schema, media: tuple[str, ...]) -> Schema:
    return {kind: {"schema": schema} for kind in media or ("application/json",)}
