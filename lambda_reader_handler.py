"""The function of AWS Lambda that runs what follows the feed, and the jobs: `lambda_reader_handler.handler`.

STORE_URL names the table, WAKE_UP_QUEUE_URL the queue, and STAGE goes into its metrics; WEBHOOKS_ALLOW and
WEBHOOKS_TO_LOOPBACK are those of wsgi.py.
"""

import os

from app.configuration import read_webhook_policy
from app.job_runner import build_job_runner
from app.reader_runner import build_runner, build_segment_builder
from app.wall_clock import utc_now
from aws import request_records
from aws.board_sizes import BoardSizes
from aws.deadline import Deadline
from aws.reader_function import ReaderFunction
from aws.sqs_queue import SqsQueue, create_sqs_client
from aws.task_records import TaskRecorder
from stores import open_store

if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    request_records.configure_lambda_logging()

deadline = Deadline()
stage = os.environ.get("STAGE", "local")
tasks = TaskRecorder(stage, utc_now, request_records.write_to_stdout)
sizes = BoardSizes(stage, utc_now, request_records.write_to_stdout)

store = open_store(os.environ["STORE_URL"], remaining_seconds=deadline.remaining)
handler = ReaderFunction(
    store.feed_readers,
    # Outside of a VPC, a function has no way out by IPv6.
    build_runner(store, read_webhook_policy(os.environ), has_ipv6=False),
    SqsQueue(create_sqs_client(os.environ["AWS_REGION"]), os.environ["WAKE_UP_QUEUE_URL"]),
    deadline,
    utc_now,
    job_runner=build_job_runner(store),
    segment_builder=build_segment_builder(store, record_size=sizes.record),
    record_sweep=tasks.bind("readers"),
)
