"""The function that AWS Lambda calls: `lambda_wsgi_handler.handler`.

It has the settings of wsgi.py; STAGE, which goes into its metrics; API_GATEWAY_BASE_PATH, the base path that the API is
mapped to on a custom domain; and ORIGIN_SECRETS, one or two secrets, separated by a space, of which each request must
have one, if there are any. The plugin serverless-wsgi finds its functions by the end of this module's name.
"""

import os
import time

from app.configuration import read_app_settings
from app.factory import create_app
from app.settings import STORE_URL
from app.wall_clock import utc_now
from aws import request_records, snapstart
from aws.closed_origin import ClosedOrigin
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.scheduled_purge import ScheduledPurge
from aws.task_records import TaskRecorder
from stores import open_store

if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    request_records.configure_lambda_logging()

deadline = Deadline()
stage = os.environ.get("STAGE", "local")

store = open_store(
    STORE_URL.read(os.environ),
    remaining_seconds=deadline.remaining,
    on_client=snapstart.register_client,
)
application = create_app(store, **read_app_settings(os.environ))
handler = Function(
    application,
    deadline,
    RequestRecorder(stage, utc_now, time.perf_counter, request_records.write_to_stdout),
    ScheduledPurge(store, utc_now, TaskRecorder(stage, utc_now, request_records.write_to_stdout).bind("purge")),
    os.environ.get("API_GATEWAY_BASE_PATH", ""),
    origin=ClosedOrigin(os.environ.get("ORIGIN_SECRETS", "").split()),
)
snapstart.register_snapshot_hooks(application.prepare)
