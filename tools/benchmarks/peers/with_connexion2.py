"""connexion 2, which is a Flask application, behind serverless-wsgi. It validates requests and responses."""

import logging
from pathlib import Path
from typing import Any

import connexion
import serverless_wsgi

from tools.benchmarks.peers.board_document import DOCUMENT

logging.getLogger("connexion").setLevel(logging.ERROR)

app = connexion.FlaskApp(__name__, specification_dir=Path(__file__).parent)
app.add_api(DOCUMENT, validate_responses=True, strict_validation=True)


def handler(event: dict[str, Any], context: object) -> Any:
    """Handle an event."""
    return serverless_wsgi.handle_request(app.app, event, context)
