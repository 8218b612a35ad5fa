"""The function that AWS Lambda calls: `lambda_wsgi_handler.handler`.

It takes the same environment as wsgi.py, and STAGE, which its metrics carry, and API_GATEWAY_BASE_PATH, the base path
that the API is mapped to at a domain of one's own. The name ends the way it does because
the plugin serverless-wsgi knows its functions by it.
"""

import os
import time
from functools import partial

from app import create_app, utc_now
from aws import records, snapshot
from aws.deadline import Deadline
from aws.function import Function
from aws.purge import ScheduledPurge
from aws.records import RequestRecorder
from configuration import read_app_settings
from stores import open_store

if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    records.configure_lambda_logging()

deadline = Deadline()

store = open_store(
    os.environ.get("STORE_URL", "sqlite:///tackboard.db"),
    remaining_seconds=deadline.remaining,
    on_client=snapshot.register_client,
)
application = create_app(store, **read_app_settings(os.environ))
handler = Function(
    application,
    deadline,
    RequestRecorder(os.environ.get("STAGE", "local"), utc_now, time.perf_counter, partial(print, flush=True)),
    ScheduledPurge(store, utc_now),
    os.environ.get("API_GATEWAY_BASE_PATH", ""),
)
snapshot.register_snapshot_hooks()
