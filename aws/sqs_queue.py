"""The queue of the readers in SQS."""

import json
from typing import Any

from botocore.config import Config
from botocore.session import Session

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
"""Limits that leave time for the rest of an invocation."""


class SqsQueue:
    """A `aws.reader_function.WakeUpQueue` in SQS."""

    def __init__(self, client: Any, url: str) -> None:
        """Create a queue from a client that `create_sqs_client` has returned, and the queue's URL."""
        self._client = client
        self._url = url

    def send(self, board_id: str, reader_name: str, delay_seconds: int = 0) -> None:
        """Send a message. Raises what the SDK raises: then the event that led to it comes once more."""
        body = json.dumps({"board_id": board_id, "reader": reader_name})
        self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)

    def send_job(self, user_id: str, job_id: str) -> None:
        """Send a message to run a job. Raises what the SDK raises, as `send` does."""
        body = json.dumps({"user_id": user_id, "job_id": job_id})
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def send_board(self, board_id: str) -> None:
        """Send a message to build the flow segments of a board. Raises what the SDK raises, as `send` does."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"segments_of": board_id}))


def create_sqs_client(region: str) -> Any:
    """Return a client of the SDK, with the credentials of the environment."""
    return Session().create_client("sqs", region_name=region, config=_CONFIG)
