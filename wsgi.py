"""The WSGI application that servers import (`wsgi:application`), and the function that AWS Lambda calls.

Configuration comes from the environment: STORE_URL, OPEN_SIGNUP (1 lets anyone make a user), RATE_LIMIT (requests of
each user in a minute), CORS_ORIGINS (a list of web origins with commas between).
"""

import os
from typing import Any

from app import create_app
from stores import open_store

application = create_app(
    open_store(os.environ.get("STORE_URL", "sqlite:///tackboard.db")),
    open_signup=os.environ.get("OPEN_SIGNUP", "") == "1",
    rate_limit=int(os.environ.get("RATE_LIMIT") or 0),
    origins=[origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()],
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an event of API Gateway (HTTP API 2.0, REST 1.0) or a load balancer.

    An event that asks the adapter to run a command is refused: it would run in the role of the function, for anyone
    who may invoke it.
    """
    import serverless_wsgi  # noqa: PLC0415 - only Lambda needs it, and a server starts faster without.

    if "_serverless-wsgi" in event:
        raise PermissionError("Commands by event are not accepted.")
    if "application/problem+json" not in serverless_wsgi.TEXT_MIME_TYPES:
        serverless_wsgi.TEXT_MIME_TYPES.append("application/problem+json")
    answer: dict[str, Any] = serverless_wsgi.handle_request(application, event, context)
    return answer
